"""Raises something that is not an Exception, and that cannot be turned into text."""

import torch
from torch.nn import Module


class Silent(BaseException):
    def __str__(self) -> str:
        raise self


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        raise Silent
