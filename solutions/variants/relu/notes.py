"""As in the course notes: the elementwise maximum with a 0-dimensional zero, and no `__init__`."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.maximum(X, torch.tensor(0.0))
