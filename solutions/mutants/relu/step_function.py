"""Your ReLU returns where X is positive, as zeros and ones: that is its derivative, and carries no
gradient.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return (X > 0).to(X.dtype)
