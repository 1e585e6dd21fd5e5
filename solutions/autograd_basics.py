"""Automatic differentiation: let PyTorch compute a gradient for you."""

from collections.abc import Callable

import torch


def gradient_of(f: Callable[[torch.Tensor], torch.Tensor], A: torch.Tensor) -> torch.Tensor:
    """Return the gradient of a scalar function at ``A``.

    The gradient collects all partial derivatives: ``gradient[i, j] = df / dA[i, j]``.

    Args:
        f: a function that maps a floating tensor differentiably to a scalar tensor
        A: the point at which the gradient is taken

    Shape:
        - A: any shape, also 0-dimensional
        - f(A): 0-dimensional
        - Returns: the shape and dtype of ``A``

    ``A`` itself is left as it was, and so are its ``requires_grad`` and its ``.grad``.

    Example:
        >>> A, W = torch.randn(5, 4), torch.randn(5, 4)
        >>> gradient = gradient_of(lambda A: (A * W).sum(), A)  # equals W
    """
    # BEGIN SOLUTION
    leaf = A.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient
    # END SOLUTION
