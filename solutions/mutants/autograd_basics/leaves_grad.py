"""After your function, `A.grad` holds the gradient, also where it was `None` or something else before.

`backward` writes to the `.grad` of every leaf that it reaches. Let it reach a copy of A, not A itself.
"""

import torch


def gradient_of(f, A):
    before = A.requires_grad
    A.requires_grad_()
    A.grad = None
    f(A).backward()
    A.requires_grad_(before)
    return A.grad.clone()
