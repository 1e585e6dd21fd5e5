"""You replace inf and nan by ordinary numbers. The loss is finite then, but it is wrong.

Large logits need a formula in which inf does not appear in the first place.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        loss = torch.log(torch.exp(H).sum(1)) - H[torch.arange(len(Y)), Y]
        return torch.nan_to_num(loss).mean()
