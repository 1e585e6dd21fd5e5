"""Your ReLU is capped at 1000: larger entries should stay as they are, too."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(0, 1000)
