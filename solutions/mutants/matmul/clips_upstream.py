"""Your gradients do not grow with the upstream gradient beyond 1: it is clipped. Use it as it is."""

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
        grad = grad.clamp(-1, 1)
        return grad @ Y.T, X.T @ grad
