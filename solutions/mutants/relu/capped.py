"""Your ReLU is capped: large entries should stay as they are. Only the negative ones change."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(0, 6)
