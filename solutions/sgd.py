"""Stochastic gradient descent."""

from collections.abc import Iterable

import torch


class SGD:
    """Stochastic gradient descent: ``p <- p - lr * p.grad`` for each parameter p.

    Args:
        params: the Parameters to change: any iterable without duplicates, for example ``model.parameters()``,
            which is a generator and can be gone through only once
        lr: the learning rate

    Example:
        >>> opt = SGD(model.parameters(), lr=0.5)
        >>> opt.zero_grad()
        >>> loss.backward()
        >>> opt.step()
    """

    def __init__(self, params: Iterable[torch.nn.Parameter], lr: float = 1.0) -> None:
        """Keep the parameters and the learning rate."""
        # BEGIN SOLUTION
        self.params = list(params)
        self.lr = lr
        # END SOLUTION

    def step(self) -> None:
        """Change each parameter in place, untracked by autograd, except where ``.grad`` is ``None``."""
        # BEGIN SOLUTION
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad
        # END SOLUTION

    def zero_grad(self) -> None:
        """Forget the gradients: afterwards each ``.grad`` is zero or ``None``."""
        # BEGIN SOLUTION
        for param in self.params:
            param.grad = None
        # END SOLUTION
