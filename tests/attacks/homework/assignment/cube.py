"""The third power of a number; handed in right, beside each attack."""

import torch


def cube(x: torch.Tensor) -> torch.Tensor:
    """Return ``x * x * x``, entry by entry."""
    raise NotImplementedError("cube: write cube")
