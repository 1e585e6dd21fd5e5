"""Your ReLU remembers only its last input: what you keep for the backward is overwritten when the ReLU is
used again before that. Each call has its own `ctx`: keep it there, or leave the gradient to autograd.
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
