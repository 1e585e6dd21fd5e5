"""Autograd Functions to be handed to a gradient check: eight operations, each with a choice of backwards."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

Gradients = tuple[Tensor | None, ...]
Pull = Callable[..., tuple[Tensor, ...]]  # (upstream gradient, *inputs) -> a gradient an input


def pad(rows: Tensor, X: Tensor) -> Tensor:
    """Return the rows with rows of zeros below, in the shape of X."""
    return torch.cat([rows, torch.zeros_like(X[len(rows) :])])


FORWARDS: dict[str, Callable[..., Tensor]] = {
    "a": lambda X: X.sin(),
    "b": lambda X, Y: X @ Y,
    "c": lambda X, Y: X * Y,
    "d": lambda X, Y, Z: (X @ Y) * Z,
    "e": lambda X, Y: 0.2 * (X + Y),
    "f": lambda X, Y: X[:1] * Y[:1],
    "g": lambda X, Y: torch.outer(X, Y),
    "h": lambda X: (X**2).sum(-1),
}

PULLS: dict[str, Pull] = {
    "a": lambda G, X: (G * X.cos(),),
    "b": lambda G, X, Y: (G @ Y.T, X.T @ G),
    "c": lambda G, X, Y: (G * Y, G * X),
    "d": lambda G, X, Y, Z: ((G * Z) @ Y.T, X.T @ (G * Z), G * (X @ Y)),
    "e": lambda G, X, Y: (0.2 * G, 0.2 * G),
    "f": lambda G, X, Y: (pad(G * Y[:1], X), pad(G * X[:1], Y)),
    "g": lambda G, X, Y: (G @ Y, X @ G),
    "h": lambda G, X: (2 * G.unsqueeze(-1) * X,),
}


def nudge(gradient: Tensor, factor: float) -> Tensor:
    """Return the gradient with its largest entry multiplied by `factor`."""
    gradient = gradient.clone(memory_format=torch.contiguous_format)
    gradient.view(-1)[gradient.abs().argmax()] *= factor
    return gradient


def fail(error: Exception) -> Gradients:
    """Raise."""
    raise error


# What a backward makes of the pull p, of the upstream gradient u and the inputs xs.
BACKWARDS: list[Callable[[Pull, Tensor, tuple[Tensor, ...]], Gradients]] = [
    lambda p, u, xs: p(u, *xs),
    lambda p, u, xs: tuple(-g for g in p(u, *xs)),
    lambda p, u, xs: (*p(u, *xs)[:-1], -p(u, *xs)[-1]),
    lambda p, u, xs: tuple(g / 2 for g in p(u, *xs)),
    lambda p, u, xs: (3 * p(u, *xs)[0], *p(u, *xs)[1:]),
    lambda p, u, xs: p(u, *xs)[::-1],
    lambda p, u, xs: tuple(g.mT for g in p(u, *xs)),
    lambda p, u, xs: p(torch.ones_like(u), *xs),
    lambda p, u, xs: p(u.mean().expand_as(u), *xs),
    lambda p, u, xs: p(u.flip(0), *xs),
    lambda p, u, xs: (nudge(p(u, *xs)[0], 1.01), *p(u, *xs)[1:]),
    lambda p, u, xs: (*p(u, *xs)[:-1], nudge(p(u, *xs)[-1], 0.99)),
    lambda p, u, xs: (*p(u, *xs)[:-1], None),
    lambda p, u, xs: tuple(None for _ in xs),
    lambda p, u, xs: (*p(u, *xs)[:-1], p(u, *xs)[-1].mT),
    lambda p, u, xs: (torch.cat([p(u, *xs)[0]] * 2), *p(u, *xs)[1:]),
    lambda p, u, xs: p(u, *xs)[:-1],
    lambda p, u, xs: fail(ValueError("not today")),
    lambda p, u, xs: fail(RuntimeError("not today")),
    lambda p, u, xs: fail(NotImplementedError("not today")),
    lambda p, u, xs: fail(KeyError("not today")),
    lambda p, u, xs: tuple(torch.zeros_like(g) for g in p(u, *xs)),
    lambda p, u, xs: p(u, *[torch.ones_like(x) for x in xs]),
    lambda p, u, xs: p(u, *[torch.zeros_like(x) for x in xs]),
    lambda p, u, xs: p(u, *[x.round() for x in xs]),
    lambda p, u, xs: tuple(g + g.roll(1, 0) for g in p(u, *xs)),
]


def make(operation: str, backward: int = 0) -> Callable[..., Tensor]:
    """Return the `apply` of an operation with one of the backwards."""

    class Operation(Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Tensor) -> Tensor:
            ctx.save_for_backward(*inputs)
            return FORWARDS[operation](*inputs)

        @staticmethod
        def backward(ctx: Any, *upstream: Tensor) -> Gradients:
            return BACKWARDS[backward](PULLS[operation], upstream[0], ctx.saved_tensors)

    return Operation.apply


def make_strict(operation: str, backward: int, *shapes: tuple[int, ...]) -> Callable[..., Tensor]:
    """Return the same, for double inputs of these shapes only."""
    apply = make(operation, backward)

    def strict(*inputs: Tensor) -> Tensor:
        found = [(X.dtype, tuple(X.shape)) for X in inputs]
        wanted = [(torch.float64, shape) for shape in shapes]
        if found != wanted:
            raise TypeError(f"wanted inputs {wanted}, got {found}")
        return apply(*inputs)

    return strict
