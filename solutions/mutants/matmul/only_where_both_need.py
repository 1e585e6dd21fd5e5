"""Where only one of X and Y requires a gradient, it gets none: your condition asks for both. Each of the
two is needed or not on its own; returning both always is right, too.
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
        if not all(ctx.needs_input_grad):
            return None, None
        return grad @ Y.T, X.T @ grad
