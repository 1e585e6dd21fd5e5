"""Your gradient has the right direction but always length 1. Its length is part of it: do not normalise."""

import torch


def gradient_of(f, A):
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient / gradient.norm()
