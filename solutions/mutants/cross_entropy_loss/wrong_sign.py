"""Your loss has the wrong sign: it should be positive, and the smaller the better.

The logarithm of a probability is negative.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return (H[torch.arange(len(Y)), Y] - H.logsumexp(1)).mean()
