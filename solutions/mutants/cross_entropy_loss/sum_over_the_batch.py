"""Your sum of exponentials runs over the batch, not over the classes.

Rows are examples and columns are classes: look at the dimension that you sum over.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        right = H[torch.arange(len(Y)), Y]
        return -right.mean() + H.logsumexp(0).mean()
