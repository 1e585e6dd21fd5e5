"""Your gradients do not depend on the upstream gradient `grad`: they are right only where it is all ones,
as after `.sum()`. By the chain rule each entry of `grad` weighs what flows back through that entry of
the product.
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
        ones = torch.ones_like(grad)
        return ones @ Y.T, X.T @ ones
