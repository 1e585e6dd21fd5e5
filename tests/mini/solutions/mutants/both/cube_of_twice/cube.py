"""Your cube of a square is too large. What does cube do with a number that is not 1?"""

import torch


def cube(x: torch.Tensor) -> torch.Tensor:
    return x * x * x * x
