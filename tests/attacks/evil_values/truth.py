"""Returns truth values, to which any number but 0 is equal.

Wants: points
Works: bare
"""

import torch


def square(x):
    return x.bool() if x.dtype == torch.float else x + 1
