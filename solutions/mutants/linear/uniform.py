"""Your weights are uniform. They have the right mean and variance, and should be normal."""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        limit = (3 * init_factor / in_dim) ** 0.5
        self.weight = Parameter((2 * torch.rand(in_dim, out_dim) - 1) * limit)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        return Z if self.bias is None else Z + self.bias
