"""Your backward is right, but your forward takes the logarithm of a probability, which may be rounded to 0:
the loss of large logits is inf.

The formula of the forward needs no softmax.
"""

import torch
from torch.nn import Module


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, H, Y):
        P = torch.softmax(H, dim=1)
        ctx.save_for_backward(P, Y)
        return -torch.log(P[torch.arange(len(Y)), Y]).mean()

    @staticmethod
    def backward(ctx, grad):
        P, Y = ctx.saved_tensors
        one_hot = (torch.arange(P.shape[1]) == Y[:, None]).to(P.dtype)
        return grad * (P - one_hot) / len(Y), None


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return Loss.apply(H, Y)
