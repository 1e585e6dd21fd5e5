"""Your loss is too small by a factor that is the number of classes: the mean runs over all entries of a
matrix in which only one entry a row counts.

Sum over the classes, and average over the batch.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        one_hot = torch.arange(H.shape[1]) == Y[:, None]
        return -(one_hot * torch.log_softmax(H, dim=1)).mean()
