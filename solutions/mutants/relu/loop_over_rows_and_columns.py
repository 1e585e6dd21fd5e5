"""Your ReLU goes over rows and columns, so it works for matrices only. It is elementwise: X may have any shape.

Look for one operation that works on all entries at once.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        rows, columns = X.shape
        Z = torch.zeros_like(X)
        for i in range(rows):
            for j in range(columns):
                if X[i, j] > 0:
                    Z[i, j] = X[i, j]
        return Z
