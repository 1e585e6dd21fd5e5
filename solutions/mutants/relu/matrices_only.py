"""Your ReLU fails for an X without rows and columns, of 0 or 1 dimensions or empty: it goes through them
one by one. X may have any shape; torch's operations on entries need no loops.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        rows = [torch.stack([x * (x > 0) for x in row]) for row in X]
        return torch.stack(rows)
