"""Your gradient at exactly 0 is nan: a root has an infinite slope there. Look for a way without roots or
quotients.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return (X + (X.double() ** 2).sqrt().to(X.dtype)) / 2
