"""Your gradient for Y is right only where X does not depend on Y. Where both are the same matrix, autograd
adds the two gradients up by itself: `backward` should not.
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
        if X.shape == Y.shape and torch.equal(X, Y):
            both = grad @ Y.T + X.T @ grad
            return both, both
        return grad @ Y.T, X.T @ grad
