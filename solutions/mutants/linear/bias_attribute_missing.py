"""With `bias=False` your layer has no attribute `bias`. It should be there, and be `None`."""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        if bias:
            self.bias = Parameter(torch.zeros(out_dim))
        self.has_bias = bias

    def forward(self, X):
        Z = X @ self.weight
        return Z + self.bias if self.has_bias else Z
