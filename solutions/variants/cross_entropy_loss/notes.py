"""As in the course notes: two terms, each with a mean of its own."""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return -torch.mean(H[torch.arange(len(Y)), Y]) + torch.mean(torch.logsumexp(H, -1))
