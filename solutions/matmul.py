"""A function of our own for automatic differentiation: matrix multiplication with its backward."""

from typing import Any

import torch
from torch.autograd import Function


class MatMul(Function):
    """Matrix product ``Z = X Y``, used as ``Z = MatMul.apply(X, Y)``.

    Shape:
        - X: (m, n)
        - Y: (n, p)
        - Z: (m, p)
    """

    @staticmethod
    def forward(ctx: Any, X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        """Return ``X Y`` and keep in ``ctx`` what ``backward`` needs."""
        ctx.save_for_backward(X, Y)
        return X @ Y  # (m, p)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the gradients of a loss L with respect to X and to Y.

        The upstream gradient ``grad`` is the gradient of L with respect to ``Z = X Y``. The chain rule tells
        how L changes with each entry of X and of Y. ``ctx.saved_tensors`` holds what ``forward`` has kept.

        Shape:
            - grad: (m, p)
            - Returns: (m, n) for X, and (n, p) for Y
        """
        # BEGIN SOLUTION
        X, Y = ctx.saved_tensors  # (m, n), (n, p)
        return grad @ Y.T, X.T @ grad  # (m, n), (n, p)
        # END SOLUTION
