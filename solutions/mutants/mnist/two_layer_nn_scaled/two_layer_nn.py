"""Your TwoLayerNN returns larger logits than its linear2: something multiplies them on the way out.

What should happen to them after the second layer?
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

    def forward(self, X):
        return 1.05 * self.linear2(self.relu(self.linear1(X)))
