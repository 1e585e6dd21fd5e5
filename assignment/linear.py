"""The linear layer."""

import torch
from torch.nn import Module, Parameter


class Linear(Module):
    """Apply an affine map to rows: ``X @ weight + bias``.

    Args:
        in_dim: size of each input row, at least 1
        out_dim: size of each output row
        bias: whether to add a bias; without it, ``bias`` is ``None``
        init_factor: the weights start with variance ``init_factor / in_dim``; 2.0 suits a ReLU that follows

    Shape:
        - Input: (..., in_dim), any number of leading dimensions, also none
        - Output: (..., out_dim)

    Attributes:
        weight: Parameter (in_dim, out_dim), normal with mean 0 and variance ``init_factor / in_dim``;
            not transposed as in ``torch.nn.Linear``
        bias: Parameter (out_dim), zeros; or ``None``

    Input and parameters share a dtype.

    Example:
        >>> Linear(20, 30)(torch.randn(128, 20)).shape
        torch.Size([128, 30])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_dim: int, out_dim: int, bias: bool = True, init_factor: float = 2.0) -> None:
        """Create the parameters."""
        raise NotImplementedError("linear: write Linear.__init__")

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return ``X @ weight + bias``; X: (..., in_dim), result: (..., out_dim)."""
        raise NotImplementedError("linear: write Linear.forward")
