"""Your `backward` returns `None` for X and for Y, which says that neither needs a gradient. Return the two gradients."""

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
        return None, None
