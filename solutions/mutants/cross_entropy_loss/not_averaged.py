"""You return a loss for each row. The result should be one number for the whole batch.

One step is missing at the end.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return H.logsumexp(1) - H[torch.arange(len(Y)), Y]
