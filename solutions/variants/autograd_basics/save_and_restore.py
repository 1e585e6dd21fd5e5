"""Works on A itself where it is a leaf, and puts its `requires_grad` and `.grad` back afterwards."""

import torch


def gradient_of(f, A):
    if not A.is_leaf:
        A = A.detach()
    required, grad = A.requires_grad, A.grad
    A.requires_grad_(True)
    A.grad = None
    try:
        f(A).backward()
        return A.grad if A.grad is not None else torch.zeros_like(A)
    finally:
        A.grad = grad
        A.requires_grad_(required)
