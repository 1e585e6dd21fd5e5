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
    # BEGIN SOLUTION
    # Central differences err by about h^2 (truncation) and 1e-16 / h times the output (rounding of doubles).
    h = 1e-5
    # Far above both, also for outputs of 1e5, and far below 1 % of an entry of magnitude 0.1.
    relative, absolute = 1e-4, 1e-5

    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    try:
        output = function(*inputs)
        upstream = torch.randn_like(output)
        gradients = torch.autograd.grad(output, inputs, upstream)

        with torch.no_grad():
            for X, gradient in zip(inputs, gradients, strict=True):
                entries = X.view(-1)  # a view: writing to an entry changes X
                for i, claimed in enumerate(gradient.flatten().tolist()):
                    x = entries[i].item()
                    entries[i] = x + h
                    above = function(*inputs)
                    entries[i] = x - h
                    below = function(*inputs)
                    entries[i] = x
                    # subtracting before summing: outputs that do not depend on x add no rounding error
                    measured = ((above - below) * upstream).sum().item() / (2 * h)
                    agrees = abs(claimed - measured) <= absolute + relative * abs(measured)  # false for nan
                    if not agrees:
                        return False
    except Exception:  # whatever a wrong backward raises
        return False
    return True
    # END SOLUTION
