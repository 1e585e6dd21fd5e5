"""Your `backward` writes to `X.grad` and `Y.grad` and returns `None`. It should return the two gradients:
autograd itself passes them on, and adds them to `.grad` where there is a leaf.
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
        X.grad, Y.grad = grad @ Y.T, X.T @ grad
        return None, None
