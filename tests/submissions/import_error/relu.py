"""Imports a module that is not there."""

import my_own_helpers
import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return my_own_helpers.positive_part(X)
