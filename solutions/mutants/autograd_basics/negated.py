"""Your gradient points the other way: its sign is that of a step downhill. Return the gradient itself."""

import torch


def gradient_of(f, A):
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(-f(leaf), leaf)
    return gradient
