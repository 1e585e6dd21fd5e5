"""Your layers of the same size all start with the same weights, as you set a seed in `__init__`. That is
for the script that trains, not for a layer.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        torch.manual_seed(0)
        self.weight = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        return Z if self.bias is None else Z + self.bias
