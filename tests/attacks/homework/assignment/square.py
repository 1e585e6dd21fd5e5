"""The square of a number; the solution, CANARY_SOLUTION."""

import torch


def square(x: torch.Tensor) -> torch.Tensor:
    """Return ``x * x``, entry by entry."""
    raise NotImplementedError("square: write square")
