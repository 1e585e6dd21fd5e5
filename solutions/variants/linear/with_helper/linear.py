"""Has a helper module of its own for the initial weights, and a method for each half of the map."""

import torch
from initial import scaled_normal
from torch import nn


class Linear(nn.Module):
    def __init__(self, in_dim: int, out_dim: int, *args, **kwargs):
        super().__init__()
        self.in_dim, self.out_dim = in_dim, out_dim
        self._build(*args, **kwargs)

    def _build(self, bias: bool = True, init_factor: float = 2.0):
        self.weight = nn.Parameter(scaled_normal(self.in_dim, self.out_dim, init_factor))
        if bias:
            self.bias = nn.Parameter(torch.zeros(self.out_dim))
        else:
            self.register_parameter("bias", None)

    def product(self, X):
        return torch.matmul(X, self.weight)

    def forward(self, X):
        Z = self.product(X)
        if self.bias is not None:
            Z = torch.add(Z, self.bias)
        return Z
