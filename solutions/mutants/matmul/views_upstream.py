"""Your `backward` fails where a matrix does not lie in memory row after row, as the transpose of another
one: `view` needs that.

`reshape` does not, and a product of matrices needs neither.
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
        (m, n), p = X.shape, Y.shape[1]
        of_X = torch.outer(grad.view(m * p), Y.view(n * p)).view(m, p, n, p).diagonal(dim1=1, dim2=3).sum(2)
        of_Y = torch.outer(X.view(m * n), grad.view(m * p)).view(m, n, m, p).diagonal(dim1=0, dim2=2).sum(2)
        return of_X, of_Y
