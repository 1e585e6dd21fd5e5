"""Your ReLU fails for a tensor of 0 dimensions, which has no rows to go through or to count. Operations on
entries need none.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.cat([row.clamp(min=0)[None] for row in X]) if len(X) else X.clone()
