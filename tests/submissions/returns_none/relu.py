"""Forgets to return its result."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        X.clamp(min=0)
