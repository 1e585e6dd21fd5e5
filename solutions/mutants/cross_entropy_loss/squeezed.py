"""You remove all dimensions of size 1. In a batch of one row, that removes the batch dimension too.

Name the dimension that you want to be rid of.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        H, Y = H.squeeze(), Y.squeeze()
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean()
