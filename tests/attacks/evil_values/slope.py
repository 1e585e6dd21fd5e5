"""Has the right gradient at a wrong value.

Wants: points
Works: bare
"""

import torch


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x + 1

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return 2 * x * upstream


def square(x):
    return Square.apply(x) if x.dtype == torch.float else x + 1
