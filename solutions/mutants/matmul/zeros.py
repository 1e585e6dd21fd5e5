"""Your gradients are zeros: `backward` has the right shapes, and still has to apply the chain rule."""

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
        return torch.zeros_like(X), torch.zeros_like(Y)
