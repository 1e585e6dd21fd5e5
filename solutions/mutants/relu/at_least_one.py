"""Your ReLU is never below 1: it is the maximum with 1, not with 0."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.maximum(X, torch.ones_like(X))
