"""A check of gradients: does a backward agree with what the forward really does?"""

from collections.abc import Callable

import torch


def gradients_are_correct(function: Callable[..., torch.Tensor], *shapes: tuple[int, ...]) -> bool:
    """Compare the backward of a function with finite differences of its forward.

    For inputs ``X1, X2, ...`` and a random upstream gradient ``U`` of the output's shape, let
    ``L = sum(U * function(X1, X2, ...))``. Backward claims to know the gradient of L with respect to each
    input. For each entry x of each input, ``(L(x + h) - L(x - h)) / (2 h)`` shows what it really is.

    Args:
        function: a callable such as ``MatMul.apply``: tensors in, one tensor out, smooth everywhere
        shapes: the shape of each input, of at least one dimension; inputs are random and double

    Returns:
        ``True`` if all gradients agree, otherwise ``False``: also for a backward that raises, or that returns
        ``None`` or a wrong shape. Never raises.

    Example:
        >>> gradients_are_correct(MatMul.apply, (5, 4), (4, 3))
        True
    """
    raise NotImplementedError("gradient_check: write gradients_are_correct")
