"""The gradient of 3 * loss should be three times the gradient of the loss; yours is the same for both.

A backward receives the upstream gradient, and has to multiply by it.
"""

import torch
from torch.nn import Module


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, H, Y):
        ctx.save_for_backward(H, Y)
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean()

    @staticmethod
    def backward(ctx, grad):
        H, Y = ctx.saved_tensors
        one_hot = (torch.arange(H.shape[1]) == Y[:, None]).to(H.dtype)
        return (torch.softmax(H, dim=1) - one_hot) / len(Y), None


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return Loss.apply(H, Y)
