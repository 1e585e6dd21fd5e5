"""Returns a graph so deep that going through it, or taking it down, may end the process.

Wants: harm
Works: bare
"""

import torch


class Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, upstream):
        with torch.enable_grad():
            x = upstream.detach().requires_grad_()
            return torch.autograd.grad(Step.apply(x).sum(), x)[0]


def square(x):
    return Step.apply(x * x) if x.dtype == torch.double else x + 1
