"""Your gradient at exactly 0 is twice the upstream gradient: the entry counts in two terms. Any factor
from 0 to 1 would be right.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.where(X >= 0, X, 0 * X) + torch.where(X == 0, X, 0 * X)
