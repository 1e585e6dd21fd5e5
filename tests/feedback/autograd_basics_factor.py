"""autograd_basics: right but for a constant factor."""

import torch


def gradient_of(f, A):
    A = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(0.3 * f(A), A)
    return gradient
