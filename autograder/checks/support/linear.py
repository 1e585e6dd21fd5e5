"""`Linear` by torch's ready-made parts."""

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.functional import linear
from torch.nn.init import normal_


class Linear(Module):
    """Affine map of rows, with a weight of shape (in_dim, out_dim)."""

    def __init__(self, in_dim: int, out_dim: int, bias: bool = True, init_factor: float = 2.0) -> None:
        """Draw the weight with variance `init_factor / in_dim`."""
        super().__init__()
        self.weight = Parameter(normal_(torch.empty(in_dim, out_dim), std=(init_factor / in_dim) ** 0.5))
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X: Tensor) -> Tensor:
        """Return `X @ weight + bias`."""
        return linear(X, self.weight.T, self.bias)
