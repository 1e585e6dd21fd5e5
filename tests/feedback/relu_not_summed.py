"""relu: two halves that are not added up."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.stack([X / 2, X.abs() / 2])
