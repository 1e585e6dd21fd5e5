"""Your ReLU lets a little of the negative entries through. They should become exactly 0."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.maximum(X, 0.01 * X)
