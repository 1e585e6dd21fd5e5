"""Your gradients depend on the upstream gradient only through its sum. Each of its entries belongs to one
entry of the product, and has to flow back through that one.
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
        ones = torch.ones_like(grad) * grad.mean()
        return ones @ Y.T, X.T @ ones
