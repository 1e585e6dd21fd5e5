"""The rectified linear unit."""

import torch
from torch.nn import Module


class ReLU(Module):
    """Apply ``max(x, 0)`` to each entry.

    The derivative is 1 where ``x > 0`` and 0 where ``x < 0``; at 0, any subgradient in [0, 1] is right.

    Shape:
        - Input: any shape
        - Output: the same shape and dtype; the input is not modified

    Example:
        >>> ReLU()(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([0., 0., 2.])
    """

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the elementwise maximum of X and 0."""
        raise NotImplementedError("relu: write ReLU.forward")
