"""Your loss compares probabilities with the labels by their squared difference. That is a loss too, but not
the cross-entropy.

The cross-entropy needs only the logarithm of the probability of the label.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        one_hot = (torch.arange(H.shape[1]) == Y[:, None]).to(H.dtype)
        return (torch.softmax(H, dim=1) - one_hot).square().sum(1).mean()
