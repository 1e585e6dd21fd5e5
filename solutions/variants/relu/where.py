"""Chooses with `torch.where` between the input and zeros of its kind."""

import torch
from torch.nn import Module


class ReLU(Module):
    def __init__(self):
        super().__init__()

    def forward(self, X):
        return torch.where(X > 0, X, torch.zeros_like(X))
