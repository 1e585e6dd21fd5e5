"""Your loss has shape (1,): a vector that holds one number. It should have no dimension at all, shape ().

Look for keepdim, reshape or slices that leave a dimension behind.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean(0, keepdim=True)
