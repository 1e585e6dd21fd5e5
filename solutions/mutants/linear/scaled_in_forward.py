"""Your weights start with variance 1 and are scaled in `forward`, each time. Scale them once, when they
are drawn: the layer is `X @ weight + bias`.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.scale = (init_factor / in_dim) ** 0.5
        self.weight = Parameter(torch.randn(in_dim, out_dim))
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = self.scale * (X @ self.weight)
        return Z if self.bias is None else Z + self.bias
