"""Twice a number is not its square: multiply x by itself."""

import torch


def square(x: torch.Tensor) -> torch.Tensor:
    return x + x
