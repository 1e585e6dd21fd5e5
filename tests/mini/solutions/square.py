"""The square of a number."""

import torch


def square(x: torch.Tensor) -> torch.Tensor:
    """Return ``x * x``, entry by entry."""
    # BEGIN SOLUTION
    return x * x
    # END SOLUTION
