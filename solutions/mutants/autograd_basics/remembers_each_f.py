"""Your function remembers the gradient of each f and returns it again for another A. The gradient depends on
A: compute it anew in every call.
"""

import torch

gradients = {}


def gradient_of(f, A):
    if (f, A.shape) not in gradients:
        leaf = A.detach().clone().requires_grad_()
        (gradients[f, A.shape],) = torch.autograd.grad(f(leaf), leaf)
    return gradients[f, A.shape]
