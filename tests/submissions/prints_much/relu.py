"""Is right, and prints a megabyte in every call."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        print("tensor " * (1 << 17))
        return X.clamp(min=0)
