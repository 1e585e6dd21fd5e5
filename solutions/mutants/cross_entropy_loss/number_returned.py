"""You return a Python number. It has no gradient, so that nothing can be trained with it.

Keep the loss a tensor; whoever needs a number can call item().
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean().item()
