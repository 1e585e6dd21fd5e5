"""Your result is float32 whatever the dtype of X is. It should have the dtype of X."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(min=0).float()
