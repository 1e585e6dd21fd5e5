"""Every gradient passes your check, however wrong: what `backward` claims is compared with nothing, or
nothing follows from it.

Compare it with the finite differences of the forward, and return `False` where they disagree.
"""

import torch


def gradients_are_correct(function, *shapes):
    try:
        inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
        function(*inputs).sum().backward()
        return all(X.grad is not None for X in inputs)
    except Exception:
        return False
