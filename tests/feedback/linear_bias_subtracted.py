"""linear: a known mistake, written otherwise than the mutant."""

import numpy as np
import torch
from torch.nn import Module, Parameter


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.normal(0.0, np.sqrt(init_factor / in_dim), (in_dim, out_dim)))
        self.register_parameter("bias", Parameter(torch.zeros(out_dim)) if bias else None)

    def forward(self, X):
        Z = torch.matmul(X, self.weight)
        return Z if self.bias is None else Z.sub(self.bias)
