"""After your function, `A.grad` is `None`: what the caller had there is lost.

Clearing `.grad` before and after keeps your result right, but A is not yours. Work on a detached copy.
"""

import torch


def gradient_of(f, A):
    before = A.requires_grad
    A.requires_grad_()
    A.grad = None
    f(A).backward()
    gradient, A.grad = A.grad, None
    A.requires_grad_(before)
    return gradient
