"""You return the sum of the gradient, a single number. The gradient has the shape of A: one entry for each
of A's.
"""

import torch


def gradient_of(f, A):
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient.sum()
