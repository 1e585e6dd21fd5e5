"""Your loss fails for a batch of one row. squeeze() removes every dimension of size 1, and then that of the batch too.

Name the dimension that you want to be rid of.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        H, Y = H.squeeze(), Y.squeeze()
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean()
