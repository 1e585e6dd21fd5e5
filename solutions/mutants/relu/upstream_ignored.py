"""Your backward returns 1 where X is positive, whatever the upstream gradient is. It should pass that on."""

import torch
from torch.nn import Module


class Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X):
        ctx.save_for_backward(X)
        return X.clamp(min=0)

    @staticmethod
    def backward(ctx, grad):
        (X,) = ctx.saved_tensors
        return (X > 0).to(X.dtype)


class ReLU(Module):
    def forward(self, X):
        return Rectify.apply(X)
