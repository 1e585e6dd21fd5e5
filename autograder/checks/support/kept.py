"""What student code keeps in objects that a probe cannot look into from outside."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module


def grads_written(apply: Callable[[Tensor, Tensor], Tensor], X: Tensor, Y: Tensor, upstream: Tensor) -> list[bool]:
    """Ask for the gradients of a product, and say whether there is something in `.grad` of X and of Y afterwards."""
    inputs = X.clone().requires_grad_(), Y.clone().requires_grad_()
    torch.autograd.grad(apply(*inputs), inputs, upstream, allow_unused=True)
    return [t.grad is not None for t in inputs]


def in_containers(model: Any) -> bool:
    """Whether an attribute is a plain list, tuple or dictionary that has a module in it."""
    own = [value for name, value in vars(model).items() if name not in vars(Module())]  # without those of torch
    held = [value for value in own if isinstance(value, list | tuple)]
    held += [value.values() for value in own if isinstance(value, dict)]
    return any(isinstance(part, Module) for parts in held for part in parts)
