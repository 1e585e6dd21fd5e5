"""Your ReLU multiplies X with a sigmoid. That is another activation: negative entries should become
exactly 0.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X * torch.sigmoid(X)
