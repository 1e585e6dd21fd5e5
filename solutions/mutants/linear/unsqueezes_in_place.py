"""Your layer changes the shape of the X that it is given: `unsqueeze_` works in place. Without the
underscore it makes a new tensor.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        row = X.dim() == 1
        if row:
            X = X[None] if X.requires_grad else X.unsqueeze_(0)
        Z = X @ self.weight
        Z = Z if self.bias is None else Z + self.bias
        return Z[0] if row else Z
