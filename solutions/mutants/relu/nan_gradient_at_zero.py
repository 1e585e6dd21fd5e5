"""Your gradient at exactly 0 is nan: a root or a quotient has no finite slope there, not even where
`torch.where` then leaves it out. Look for a way without them.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return (X + (X.double() ** 2).sqrt().to(X.dtype)) / 2
