"""Your ReLU squares the positive entries. They should stay as they are."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X * X.clamp(min=0)
