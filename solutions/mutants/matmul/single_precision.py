"""Your gradients have only the precision of float32, also where X and Y are double. Leave the dtype as it
is.
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
        return (grad.float() @ Y.float().T).to(X.dtype), (X.float().T @ grad.float()).to(Y.dtype)
