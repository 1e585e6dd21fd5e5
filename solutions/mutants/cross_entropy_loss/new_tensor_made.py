"""The value of your loss is right, but the loss is cut off from the logits: no gradient flows back to them. A new
tensor made of numbers knows nothing of where they came from.

Compute the loss from H with tensor operations only, all the way; look for torch.tensor, item, detach, .data or
no_grad.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        rows = [torch.logsumexp(h, 0).item() - h[y].item() for h, y in zip(H, Y)]
        return torch.tensor(sum(rows) / len(rows), dtype=H.dtype, requires_grad=True)
