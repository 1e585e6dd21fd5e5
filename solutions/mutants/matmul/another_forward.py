"""Your gradients belong to your forward, but that does not return the matrix product any more: it is
scaled.

`forward` may be changed, as long as it returns `X @ Y`.
"""

import torch
from torch.autograd import Function


class MatMul(Function):
    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return X @ Y / X.shape[1]

    @staticmethod
    def backward(ctx, grad):
        X, Y = ctx.saved_tensors
        return grad @ Y.T / X.shape[1], X.T @ grad / X.shape[1]
