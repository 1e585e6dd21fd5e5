"""You add a small number inside the logarithm, or limit what goes into it, so that it is never the logarithm of 0.
That hides the problem: for large logits the loss stops at some constant, where it should go on growing.

Simplify the logarithm of the softmax on paper, so that nothing has to be added.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        P = torch.softmax(H, dim=1)
        return -torch.log(P[torch.arange(len(Y)), Y] + 1e-12).mean()
