"""cross_entropy_loss: one loss for each example, as the mean is missing."""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return torch.logsumexp(H, -1) - H[torch.arange(len(Y)), Y]
