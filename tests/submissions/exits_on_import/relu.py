"""Calls sys.exit when it is imported."""

import sys

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.clamp(min=0)


sys.exit("done")
