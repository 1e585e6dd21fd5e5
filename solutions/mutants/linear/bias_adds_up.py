"""Your `forward` changes the bias itself, with each call. Compute a result and leave the parameters as
they are: only an optimizer changes them.
"""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        if self.bias is not None:
            Z = Z + self.bias
            self.bias.data += 0.1 * Z.detach().reshape(-1, Z.shape[-1]).sum(0)
        return Z
