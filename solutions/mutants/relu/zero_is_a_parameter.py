"""Your ReLU has a parameter, which training would change. It needs none: what it compares with is always
0.
"""

import torch
from torch.nn import Module, Parameter


class ReLU(Module):
    def __init__(self):
        super().__init__()
        self.zero = Parameter(torch.tensor(0.0))

    def forward(self, X):
        return torch.maximum(X, self.zero.to(X.dtype))
