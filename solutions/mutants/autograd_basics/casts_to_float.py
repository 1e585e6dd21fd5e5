"""Your gradient is in single precision also where A is double. It should have the dtype of A, and its
precision.
"""

import torch


def gradient_of(f, A):
    leaf = A.detach().float().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient
