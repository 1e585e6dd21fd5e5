"""Your gradient is in double precision also where A is not. It should have the dtype of A: look for the
place where a tensor is made or converted with another one.
"""

import torch


def gradient_of(f, A):
    leaf = A.detach().double().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient
