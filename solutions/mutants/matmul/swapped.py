"""Your two gradients are swapped: the one for Y comes first.

`backward` returns them in the order in which `forward` takes its inputs: X (m, n), then Y (n, p).
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
        return X.T @ grad, grad @ Y.T
