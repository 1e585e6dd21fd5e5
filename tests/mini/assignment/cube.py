"""The third power of a number."""

import torch

# you may use your own square; add here: from square import square


def cube(x: torch.Tensor) -> torch.Tensor:
    """Return ``x * x * x``, entry by entry."""
    raise NotImplementedError("cube: write cube")
