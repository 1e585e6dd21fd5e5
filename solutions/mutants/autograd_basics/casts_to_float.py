"""Your gradient is in single precision also where A is double. It should have the dtype of A, and its
precision: look for the place where a tensor is made or converted with another one.
"""

import torch


def gradient_of(f, A):
    leaf = A.detach().float().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient
