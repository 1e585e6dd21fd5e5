"""Returns complex numbers, infinite in one part and not a number in the other.

Wants: points
Works: bare
"""

import torch


def square(x):
    return torch.full(x.shape, complex(float("inf"), float("nan"))) if x.dtype == torch.float else x + 1
