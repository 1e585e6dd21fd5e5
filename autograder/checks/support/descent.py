"""An optimizer that says afterwards what its steps were made with."""

import torch
from torch import Tensor
from torch.nn import Parameter


class Descent:
    """Gradient descent of one Parameter. What it knows is private, unless it is `open`."""

    def __init__(self, parameter: Parameter, lr: float = 0.0, is_open: bool = False) -> None:
        """Keep the Parameter, which `lr=0` leaves as it is."""
        self._parameter, self._rate, self._used = parameter, lr, []
        if is_open:
            self.lr, self.params = lr, [parameter]
            self.param_groups = [{"lr": lr, "params": self.params}]

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._parameter.grad = None

    def step(self) -> None:
        """Make a step, and note its gradient."""
        grad = self._parameter.grad
        self._used.append(torch.zeros_like(self._parameter.data) if grad is None else grad.detach().clone())
        with torch.no_grad():
            self._parameter -= self._rate * self._used[-1]

    def used(self) -> list[Tensor]:
        """Return the gradient of each step, zeros where there was none."""
        return self._used
