"""Asks for the Jacobian, which for a scalar function has the shape of its input."""

from torch.autograd.functional import jacobian


def gradient_of(f, A):
    return jacobian(f, A.detach())
