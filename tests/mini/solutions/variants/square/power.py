"""A power."""

import torch


def square(x: torch.Tensor) -> torch.Tensor:
    return x**2
