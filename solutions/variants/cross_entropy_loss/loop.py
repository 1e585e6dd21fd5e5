"""One example at a time in a Python loop."""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        losses = []
        for logits, label in zip(H, Y.tolist(), strict=True):
            losses.append(torch.logsumexp(logits - logits[label], dim=0))
        return torch.stack(losses).mean()
