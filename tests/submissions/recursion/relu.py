"""Calls itself for ever."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.forward(X).clamp(min=0)
