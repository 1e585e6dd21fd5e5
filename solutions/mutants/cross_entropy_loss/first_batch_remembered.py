"""Your loss object keeps something of a batch and uses it for later ones: only the first loss that it computes is
right.

A loss depends on H and Y, and on nothing else.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def __init__(self):
        super().__init__()
        self.rows = None

    def forward(self, H, Y):
        if self.rows is None:
            self.rows = torch.arange(len(Y))
        return (H.logsumexp(1) - H[self.rows, Y]).mean()
