"""Raises an exception of its own type in every call."""

import torch
from torch.nn import Module


class Mistake(ValueError):
    pass


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.positive_part(X)

    def positive_part(self, X: torch.Tensor) -> torch.Tensor:
        raise Mistake(f"cannot do this for {X.dim()} dimensions")
