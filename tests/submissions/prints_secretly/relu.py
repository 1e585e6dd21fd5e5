"""Is wrong, and prints what it was asked, in the hope of reading the hidden checks from the output."""

import sys

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        print("asked:", X, file=sys.stderr)
        raise ValueError(f"asked: {X}")
