"""`gradient_of` by torch's ready-made parts."""

from collections.abc import Callable

from torch import Tensor
from torch.autograd.functional import vjp


def gradient_of(f: Callable[[Tensor], Tensor], A: Tensor) -> Tensor:
    """Return the gradient of a scalar function at A."""
    return vjp(f, A.detach())[1]
