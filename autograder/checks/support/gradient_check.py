"""`gradients_are_correct` by torch's ready-made parts."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import gradcheck


def gradients_are_correct(function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> bool:
    """Tell whether the backward of `function` agrees with finite differences, at random double inputs."""
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    try:
        return gradcheck(function, inputs, check_undefined_grad=False)
    except Exception:
        return False
