"""Your ReLU keeps the negative entries and drops the positive ones: it is the minimum with 0, not the
maximum.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(max=0)
