"""Calling your network adds a Parameter to it, such as its hidden values, so that the optimizer finds one more thing
to train.

Only what is to be learned is a Parameter; look for what forward assigns to self.
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
        hidden = self.relu(self.linear1(X))
        self.hidden = torch.nn.Parameter(hidden.detach())
        return self.linear2(hidden)
