"""Your `weight` has shape (out_dim, in_dim), as in `torch.nn.Linear`. Here it is (in_dim, out_dim), so
that the layer is `X @ weight + bias`.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(out_dim, in_dim) * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight.T
        return Z if self.bias is None else Z + self.bias
