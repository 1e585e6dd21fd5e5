"""Layers, a model and an optimizer that keep a record of how they are used."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter


class Log:
    """A list of what happened, in order."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.entries: list[Any] = []

    def add(self, entry: object) -> None:
        """Append an entry."""
        self.entries.append(entry)

    def read(self) -> list[Any]:
        """Return all entries."""
        return list(self.entries)


class Affine(Module):
    """`scale * X + shift` with a Parameter `scale`; enters its name in the log at each call."""

    def __init__(self, scale: float, shift: float, name: str = "", log: Log | None = None) -> None:
        """Keep the two numbers."""
        super().__init__()
        self.scale = Parameter(torch.tensor(float(scale), dtype=torch.float64))
        self.shift, self.name, self.log = shift, name, log

    def forward(self, X: Tensor) -> Tensor:
        """Return `scale * X + shift`."""
        if self.log is not None:
            self.log.add(self.name)
        return self.scale.to(X.dtype) * X + self.shift


class Model(Module):
    """Logits that are linear in inputs (batch, *shape), with one Parameter `weight` (*shape, classes).

    Enters the first number of each example of the batch in the log at each call.
    """

    def __init__(self, weight: Tensor, log: Log | None = None) -> None:
        """Keep a copy of the weights."""
        super().__init__()
        self.weight = Parameter(weight.detach().clone())
        self.log = log

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits (batch, classes)."""
        if self.log is not None:
            self.log.add(X.detach().flatten(1)[:, 0].tolist())
        return torch.tensordot(X, self.weight, dims=self.weight.dim() - 1)


class Optimizer:
    """Has zero_grad and step; enters the gradient at each step in the log, and changes no Parameter.

    Its zero_grad leaves None, or zeros when `zeros` is true.
    """

    def __init__(self, parameter: Parameter, log: Log, zeros: bool = False) -> None:
        """Keep the one Parameter."""
        self._parameter, self._log, self._zeros = parameter, log, zeros

    def zero_grad(self) -> None:
        """Forget the gradient."""
        grad = self._parameter.grad
        if self._zeros and grad is not None:
            grad.zero_()
        else:
            self._parameter.grad = None

    def step(self) -> None:
        """Record the gradient."""
        grad = self._parameter.grad
        self._log.add(None if grad is None else grad.detach().clone())
