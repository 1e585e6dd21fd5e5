"""Your loss has a dimension of size 1 left: it is a vector or a matrix that holds one number. It should have no
dimension at all, shape ().

Look for keepdim, reshape or slices that leave a dimension behind.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean(0, keepdim=True)
