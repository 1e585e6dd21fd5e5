"""Your result is flat. It should have the shape of X."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.flatten().clamp(min=0)
