"""Your gradients are wrong where X and Y are the same matrix: autograd then adds up by itself what
`backward` returns for the two.

Treat X and Y as two different matrices, always.
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
        if X.shape == Y.shape and torch.equal(X, Y):
            both = grad @ Y.T + X.T @ grad
            return both, both
        return grad @ Y.T, X.T @ grad
