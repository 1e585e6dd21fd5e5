"""Your loss grows with the size of the batch: a batch that holds every row twice should have the same loss.

Look at how you combine the losses of the rows.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).sum()
