"""In each row, you pick the logits of the labels of all rows, as H[:, Y] does: a matrix, not a vector.

Each row needs the logit of its own label only; print the shape of what you pick.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return H.logsumexp(1).mean() - H[:, Y].mean()
