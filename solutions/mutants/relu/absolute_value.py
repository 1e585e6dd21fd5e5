"""Your ReLU turns negative entries positive. They should become 0."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.abs()
