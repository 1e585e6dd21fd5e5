"""Calls sys.exit in every call, as scripts do when they are done."""

import sys

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        sys.exit(0)
