"""Your loss is finite for large logits, but its gradient is nan: an exponential is still infinite somewhere.
torch.where does not help, since it sends a gradient of 0 through the side that is not chosen, and 0 times infinity
is nan.

Use one formula that is right for all logits.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        simple = torch.log(torch.exp(H).sum(1))
        lse = torch.where(H.abs().amax(1) < 30, simple, H.logsumexp(1))
        return (lse - H[torch.arange(len(Y)), Y]).mean()
