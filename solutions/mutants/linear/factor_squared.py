"""The variance of your weights grows with the square of `init_factor`: you multiply the weights by it. It
is a factor of the variance, not of the standard deviation.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(init_factor * torch.randn(in_dim, out_dim) / in_dim**0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        return Z if self.bias is None else Z + self.bias
