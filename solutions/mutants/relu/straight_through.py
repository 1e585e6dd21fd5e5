"""Your gradient is the upstream gradient everywhere. Where X is negative the result does not depend on X,
so the gradient there is 0.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X + (X.clamp(min=0) - X).detach()
