"""You put the result into a new tensor. The value is right, but the new tensor knows nothing of the logits:
no gradient flows back to them.

Compute the loss from H with tensor operations only, all the way.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        rows = [torch.logsumexp(h, 0).item() - h[y].item() for h, y in zip(H, Y)]
        return torch.tensor(sum(rows) / len(rows), dtype=H.dtype, requires_grad=True)
