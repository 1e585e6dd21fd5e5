"""Your result at exactly 0 is nan: there you divide 0 by 0. Look for a way without quotients."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X * (X / X.abs() + 1) / 2
