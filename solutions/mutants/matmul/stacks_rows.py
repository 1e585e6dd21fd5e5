"""Your `backward` fails where a matrix has no rows: then there is nothing to stack. A product of whole
matrices works there, too.
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
        of_X = torch.stack([row @ Y.T for row in grad])
        of_Y = torch.stack([column @ grad for column in X.T])
        return of_X, of_Y
