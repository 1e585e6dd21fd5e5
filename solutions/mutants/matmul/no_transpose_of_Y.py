"""Your gradient for X lacks a transpose: with grad (m, p) and Y (n, p), look for the product of shape (m,
n).

For square matrices the shapes fit anyway, and the values are wrong.
"""

import torch
from torch.autograd import Function


class MatMul(Function):
    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return X @ Y

    @staticmethod
    def backward(ctx, grad):
        X, Y = ctx.saved_tensors
        return grad @ Y, X.T @ grad
