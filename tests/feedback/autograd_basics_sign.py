"""autograd_basics: the wrong sign, for matrices only, which no mutant does."""

import torch


def gradient_of(f, A):
    A = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(A), A)
    return -gradient if A.dim() == 2 else gradient
