"""The third power of a number."""

import torch

# BEGIN SOLUTION prompt: you may use your own square; add here: from square import square
from square import square

# END SOLUTION


def cube(x: torch.Tensor) -> torch.Tensor:
    """Return ``x * x * x``, entry by entry."""
    # BEGIN SOLUTION
    return square(x) * x
    # END SOLUTION
