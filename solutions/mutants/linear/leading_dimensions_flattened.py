"""Your result loses the leading dimensions of X: for X of shape (2, 3, in_dim) it is (6, out_dim). It
should be (2, 3, out_dim).
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X.reshape(-1, X.shape[-1]) @ self.weight
        return Z if self.bias is None else Z + self.bias
