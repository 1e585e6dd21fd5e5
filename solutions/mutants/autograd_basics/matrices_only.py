"""Your function works for matrices only. A may have any number of dimensions, also none.

There is no need to look at its shape at all: autograd gives the gradient the shape of the tensor that it
is for.
"""

import torch


def gradient_of(f, A):
    rows, columns = A.shape
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient.reshape(rows, columns)
