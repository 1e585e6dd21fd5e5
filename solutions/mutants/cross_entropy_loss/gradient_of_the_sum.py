"""Your loss is an average over the batch, but its gradient is that of a sum: too large by the size of the
batch.

The backward has to be that of the very formula of the forward.
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
        return grad * (torch.softmax(H, dim=1) - one_hot), None


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return Loss.apply(H, Y)
