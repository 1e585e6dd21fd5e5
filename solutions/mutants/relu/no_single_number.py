"""Your ReLU fails for a tensor of 0 dimensions, as it goes through the rows of X. Operations on entries
need no loop.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.cat([row.clamp(min=0)[None] for row in X]) if len(X) else X.clone()
