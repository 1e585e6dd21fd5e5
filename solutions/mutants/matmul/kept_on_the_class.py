"""Your products share one memory: X and Y are kept in a place that all calls have in common, such as the
class, so that a second product overwrites the first's.

Each call has its own `ctx`. Keep X and Y there.
"""

import torch
from torch.autograd import Function


class MatMul(Function):
    @staticmethod
    def forward(ctx, X, Y):
        MatMul.X, MatMul.Y = X.detach(), Y.detach()
        return X @ Y

    @staticmethod
    def backward(ctx, grad):
        return grad @ MatMul.Y.T, MatMul.X.T @ grad
