"""Your `weight` and your `bias` are tensors, not Parameters: `parameters()` lists neither, so no optimizer trains them.

Which class of torch.nn makes a tensor one of the things that a Module learns?
"""

import torch
from torch.nn import Module


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = (torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5).requires_grad_()
        self.bias = torch.zeros(out_dim, requires_grad=True) if bias else None

    def forward(self, X):
        Z = X @ self.weight
        return Z if self.bias is None else Z + self.bias
