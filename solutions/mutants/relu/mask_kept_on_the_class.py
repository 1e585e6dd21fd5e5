"""Your ReLU remembers only its last input: the mask is overwritten when it is used again before the first
backward.

Each call has its own `ctx`. Keep the mask there, or leave the gradient to autograd.
"""

import torch
from torch.nn import Module


class Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X):
        Rectify.mask = X > 0
        return X * Rectify.mask

    @staticmethod
    def backward(ctx, grad):
        return grad * Rectify.mask


class ReLU(Module):
    def forward(self, X):
        return Rectify.apply(X)
