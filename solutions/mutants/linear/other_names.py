"""Your parameters have other names: they should be `weight` and `bias`, as other code relies on them."""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.W = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        self.b = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.W
        return Z if self.b is None else Z + self.b
