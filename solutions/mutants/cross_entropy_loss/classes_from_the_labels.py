"""You take the number of classes from the largest label in the batch. A batch need not show every class.

The logits know how many classes there are.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        one_hot = torch.eye(int(Y.max()) + 1, dtype=H.dtype)[Y]
        return -(one_hot * torch.log_softmax(H, dim=1)).sum(1).mean()
