"""Your gradient for Y lacks a transpose: with X (m, n) and grad (m, p), look for the product of shape (n,
p).

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
        return grad @ Y.T, X @ grad
