"""You limit the logits before you use them. This keeps exp finite, but larger logits then give the loss of
other, smaller logits.

What can you subtract from all logits of a row without changing the loss?
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        H = H.clamp(-50, 50)
        return (torch.log(torch.exp(H).sum(1)) - H[torch.arange(len(Y)), Y]).mean()
