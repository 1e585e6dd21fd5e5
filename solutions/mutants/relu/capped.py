"""Your ReLU is capped: large entries should stay as they are."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(0, 6)
