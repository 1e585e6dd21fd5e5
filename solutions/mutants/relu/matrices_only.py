"""Your ReLU takes matrices only. X may have any shape; torch's operations on entries need no loops."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        rows = [torch.stack([x * (x > 0) for x in row]) for row in X]
        return torch.stack(rows)
