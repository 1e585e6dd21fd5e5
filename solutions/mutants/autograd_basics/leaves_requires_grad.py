"""After your function, `A.requires_grad` is `True` even where it was `False` before.

The caller's A should be left as it was: a detached copy can require a gradient in its place.
"""

import torch


def gradient_of(f, A):
    A.requires_grad_()
    (gradient,) = torch.autograd.grad(f(A), A)
    return gradient
