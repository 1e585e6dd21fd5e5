"""Your TwoLayerNN starts with all weights at 0: then every hidden value is the same, and gets the same gradient.

Linear draws the initial weights; look at how you create the layers, and for what changes them after that.
"""

import torch
from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim, init_factor=1.0)
        with torch.no_grad():
            for p in self.parameters():
                p.zero_()

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
