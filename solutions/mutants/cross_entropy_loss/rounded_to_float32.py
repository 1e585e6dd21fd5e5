"""You convert the logits to float32. Logits in double precision then lose half of their digits, and gradient
checks fail.

Keep the dtype of the logits.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        H = H.float()
        return (H.logsumexp(1) - H[torch.arange(len(Y)), Y]).mean()
