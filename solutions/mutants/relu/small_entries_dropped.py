"""Your ReLU turns small positive entries into 0. Compare with 0 itself."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X * (X > 0.01)
