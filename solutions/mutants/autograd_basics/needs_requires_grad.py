"""Your function works only where A requires a gradient already. Most tensors do not: let a copy of A
require it.
"""

import torch


def gradient_of(f, A):
    (gradient,) = torch.autograd.grad(f(A), A)
    return gradient
