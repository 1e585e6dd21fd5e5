"""Your function works for matrices only. A may have any number of dimensions, also none: there is no need
to look at its shape at all, as the gradient for a leaf has the leaf's shape.
"""

import torch


def gradient_of(f, A):
    rows, columns = A.shape
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient.reshape(rows, columns)
