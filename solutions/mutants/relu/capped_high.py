"""Your ReLU is capped far up: the largest entries should stay as they are, too. Only the negative ones
change.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(0, 1000)
