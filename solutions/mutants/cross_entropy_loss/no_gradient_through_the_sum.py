"""The gradient of your loss misses the softmax: the log of the sum of exponentials is cut off from the logits.

Look for detach, .data, item or no_grad on the way.
"""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    def forward(self, H, Y):
        right = H[torch.arange(len(Y)), Y]
        return (H.detach().logsumexp(1) - right).mean()
