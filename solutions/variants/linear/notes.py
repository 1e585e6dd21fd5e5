"""As in the course notes: `np.sqrt` scales the weights, `bias[..., :]` is added in place."""

import numpy as np
import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * np.sqrt(init_factor / in_dim))
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        if self.bias is not None:
            Z += self.bias[..., :]
        return Z
