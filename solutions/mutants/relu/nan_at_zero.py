"""Your result at exactly 0 is nan, as you divide by X. Look for a way without quotients."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X * (X / X.abs() + 1) / 2
