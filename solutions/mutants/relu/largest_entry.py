"""Your ReLU returns the largest entry of X. The maximum is with 0, entry by entry."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.max().clamp(min=0)
