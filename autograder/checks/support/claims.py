"""Functions whose backward claims a gradient that is wrong in one respect, and what a gradient check says of them.

Most are `C * (X + Y)` with fixed numbers C whose signs alternate. Then both gradients are `C * U` for an upstream
gradient U, and an error has the size it is meant to have, wherever the check draws its inputs from.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

Check = Callable[..., Any]
Claim = Callable[[Tensor], Tensor | None]

SIZE = 0.2  # of C
LITTLE = 0.1  # C in an entry with an error
ERROR = 0.04  # in this entry: far more than 1 %, and little as a mean over all entries


class Complaint(Exception):
    """An exception that nobody expects."""


def alternating(shape: torch.Size, even: float, odd: float) -> Tensor:
    """Return two numbers in turn."""
    numbers = torch.full((shape.numel(),), even, dtype=torch.float64)
    numbers[1::2] = odd
    return numbers.view(shape)


def halves(shape: torch.Size, first: float, last: float) -> Tensor:
    """Return two numbers, each in half of the entries."""
    numbers = torch.full((shape.numel(),), first, dtype=torch.float64)
    numbers[shape.numel() // 2 :] = last
    return numbers.view(shape)


def coefficients(shape: torch.Size, size: float) -> Tensor:
    """Return numbers of alternating signs, from `size` to twice that."""
    return alternating(shape, size, -size) * torch.linspace(1, 2, shape.numel(), dtype=torch.float64).view(shape)


def entry(G: Tensor, index: int) -> Tensor:
    """Return an error in one entry of G."""
    numbers = torch.zeros(G.numel(), dtype=G.dtype)
    numbers[index] = ERROR
    return numbers.view(G.shape)


def percent(G: Tensor, limit: float = torch.inf) -> Tensor:
    """Return G with errors of 1 % and 0.5 % in turn, each at most `limit`.

    Of 1 % a little is missing, so that a tolerance of 1 % is too large for certain, and not by rounding.
    """
    return G + (G * alternating(G.shape, 0.01 - 1e-8, 0.005)).clamp(-limit, limit)


def fail(error: Exception) -> Tensor:
    """Raise."""
    raise error


CLAIMS: dict[str, Claim] = {
    "right": lambda G: G,
    "nonsense": lambda G: 3 * G + alternating(G.shape, 1, -1),
    "negated": lambda G: -G,
    "half negated": lambda G: G * halves(G.shape, -1, 1),
    "halved": lambda G: G / 2,
    "0 where it should not be": lambda G: G * halves(G.shape, 0, 1),
    "not 0 where it should be": lambda G: torch.where(G == 0, alternating(G.shape, 0.5, -0.5), G),
    "too large": lambda G: G + 0.5,
    "too small": lambda G: G - 0.5,
    "reversed": lambda G: G.flatten().flip(0).view(G.shape),
    "transposed": lambda G: G.mT,
    "off by 1 %": percent,
    "off by 1 % of little": lambda G: percent(G, 0.003),
    "None": lambda G: None,
    "too many rows": lambda G: torch.cat([G, G]),
    "RuntimeError": lambda G: fail(RuntimeError("not today")),
    "ValueError": lambda G: fail(ValueError("not today")),
    "KeyError": lambda G: fail(KeyError("not today")),
    "Complaint": lambda G: fail(Complaint("not today")),
}
UPSTREAM: dict[str, Callable[[Tensor], Tensor]] = {
    "used": lambda U: U,
    "ignored": torch.ones_like,
    "averaged": lambda U: torch.full_like(U, U.mean().item()),
    "reversed": lambda U: U.flip(-2),
}
SEEN: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "swapped": lambda X, Y: (Y, X),
    "ones": lambda X, Y: (torch.ones_like(X), torch.ones_like(Y)),
    "zeros": lambda X, Y: (torch.zeros_like(X), torch.zeros_like(Y)),
    "whole numbers": lambda X, Y: (X.round(), Y.round()),
}


def function(factors: Callable[[torch.Size], Tensor], *claims: Claim, upstream: str = "used") -> Callable[..., Tensor]:
    """Return `C * (X + Y + ...)`, with an input for each claim; `factors` makes C of the shape of the inputs."""
    factors = cache(factors)

    class Weighted(Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Tensor) -> Tensor:
            ctx.factors = factors(inputs[0].shape)
            return ctx.factors * sum(inputs)

        @staticmethod
        def backward(ctx: Any, *upstreams: Tensor) -> tuple[Tensor | None, ...]:
            gradient = ctx.factors * UPSTREAM[upstream](upstreams[0])
            return tuple(claim(gradient.clone()) for claim in claims)  # who changes one does not change the others

    return Weighted.apply


def weighted(*claims: str, size: float = SIZE, upstream: str = "used") -> Callable[..., Tensor]:
    """Return a function with one of CLAIMS for each input, and gradients of about this size."""
    chosen = [CLAIMS[claim] for claim in claims]
    return function(lambda shape: coefficients(shape, size), *chosen, upstream=upstream)


def of_first_rows(claim: str) -> Callable[..., Tensor]:
    """Return a function of two inputs that depends on their first rows only."""

    def factors(shape: torch.Size) -> Tensor:
        C = coefficients(shape, SIZE)
        C[..., 1:, :] = 0
        return C

    return function(factors, CLAIMS[claim], CLAIMS[claim])


def wrong_in_entry(index: int) -> Callable[..., Tensor]:
    """Return a function of two inputs whose gradients are wrong in one entry: one is too large, the other too small."""

    def factors(shape: torch.Size) -> Tensor:
        C = coefficients(shape, SIZE)
        C.view(-1)[index] = LITTLE
        return C

    return function(factors, lambda G: G + entry(G, index), lambda G: G - entry(G, index))


def wrong_among_large() -> Callable[..., Tensor]:
    """Return a function of two inputs; its first gradient has two wrong entries, of a right sum, among large ones."""

    def factors(shape: torch.Size) -> Tensor:
        C = coefficients(shape, 3000 * SIZE)
        C.view(-1)[-2:] = LITTLE
        return C

    return function(factors, lambda G: G + entry(G, -1) - entry(G, -2), CLAIMS["right"])


def product(seen: str) -> Callable[..., Tensor]:
    """Return `C * (X + 2) * (Y + 2)`, whose gradients are those at other inputs: at what SEEN makes of X and Y."""

    class Product(Function):
        @staticmethod
        def forward(ctx: Any, X: Tensor, Y: Tensor) -> Tensor:
            ctx.save_for_backward(X, Y)
            return coefficients(X.shape, SIZE) * (X + 2) * (Y + 2)

        @staticmethod
        def backward(ctx: Any, *upstreams: Tensor) -> tuple[Tensor, ...]:
            X, Y = SEEN[seen](*ctx.saved_tensors)
            gradient = coefficients(X.shape, SIZE) * upstreams[0]
            return gradient * (Y + 2), gradient * (X + 2)

    return Product.apply


def waves(X: Tensor, Y: Tensor) -> Tensor:
    """Return a curved function with a right gradient."""
    return X.sin() * Y.cos()


def verdict(check: Check, function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> bool | str:
    """Return whether a check accepts a function, or that it raises."""
    try:
        return bool(check(function, *shapes))
    except Exception:
        return "raises"


def verdicts(check: Check, function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> bool | str:
    """Return the first verdict of several that is not False: whether chance may let the function pass."""
    return next((found for _ in range(5) if (found := verdict(check, function, *shapes))), False)


def kind_of_verdict(check: Check, function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> str:
    """Return of what type a verdict is."""
    found = check(function, *shapes)
    kinds = {"bool": bool, "number": (int, float), "tensor": Tensor, "None": type(None)}
    return next((name for name, kind in kinds.items() if isinstance(found, kind)), "another")


def inputs_in_use(check: Check, *shapes: tuple[int, ...]) -> tuple[str, list[str], bool]:
    """Return how the shapes of a check's inputs are related to those given, their dtypes, whether its steps are tiny.

    A step is tiny if a double of order 1 has less than five digits for it.
    """
    calls: list[tuple[Tensor, ...]] = []
    right = weighted(*["right"] * len(shapes))

    def recorded(*inputs: Tensor) -> Tensor:
        calls.append(tuple(X.detach().clone() for X in inputs))
        return right(*inputs)

    verdict(check, recorded, *shapes)
    found = {tuple(X.shape) for call in calls for X in call}
    related = {
        "none": set(),
        "as given": set(shapes),
        "reversed": {shape[::-1] for shape in shapes},
        "with a dimension more": {shape for shape in found if shape[1:] in shapes},
    }
    points = [torch.cat([X.flatten() for X in call]) for call in calls]
    steps = [step for one, other in pairwise(points) if (step := (one - other).abs().max().item())]
    return (
        next((name for name, those in related.items() if those == found), "others"),
        sorted({str(X.dtype) for call in calls for X in call}),
        bool(steps) and median(steps) < 5e-12,
    )
