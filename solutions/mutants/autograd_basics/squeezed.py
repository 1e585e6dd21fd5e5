"""Your gradient loses the dimensions of size 1: for A of shape (1, 3) it has shape (3,). It should have
A's shape, so return it as autograd gives it.
"""

import torch


def gradient_of(f, A):
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient.squeeze()
