"""A custom autograd Function, whose subgradient at 0 is 1."""

import torch


class Positive(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X):
        mask = X >= 0
        ctx.save_for_backward(mask)
        return X * mask

    @staticmethod
    def backward(ctx, grad):
        (mask,) = ctx.saved_tensors
        return grad * mask


class ReLU(torch.nn.Module):
    def forward(self, X):
        return Positive.apply(X)
