"""You divide the weights by their own standard deviation. Of a single weight there is none, and it becomes
NaN; multiply the random numbers by the standard deviation that you want instead.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        weight = torch.randn(in_dim, out_dim)
        self.weight = Parameter((weight - weight.mean()) / weight.std() * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        return Z if self.bias is None else Z + self.bias
