"""Your gradient for Y is divided by the number of rows of X. The gradient of a product is a sum over the
rows; a mean belongs to the loss, which brings it along in the upstream gradient.
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
        return grad @ Y.T, X.T @ grad / max(len(X), 1)
