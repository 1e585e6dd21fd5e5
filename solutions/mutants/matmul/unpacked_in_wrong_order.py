"""You take X for Y and Y for X: `ctx.saved_tensors` has the order in which `forward` saved them."""

import torch
from torch.autograd import Function


class MatMul(Function):
    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return X @ Y

    @staticmethod
    def backward(ctx, grad):
        Y, X = ctx.saved_tensors
        return grad @ Y.T, X.T @ grad
