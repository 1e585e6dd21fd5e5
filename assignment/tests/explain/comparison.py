# Generated from autograder/comparison.py; do not edit.
"""What came beside what was expected, and in which simple way the one is almost the other.

Checks compare with `torch.testing.assert_close`; the tensors are taken from its frame of the traceback, so that an
ordinary assertion says all this without knowing of it.
"""

from __future__ import annotations

import cmath
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import Tensor

TELLING = 3  # numbers that two tensors must have in common before their likeness is no accident
MAX_SHOWN = 36  # entries of a tensor that is shown whole
MAX_COLUMNS = 6
# How torch begins what it says of two values that differ.
TORCH_SAYS = (
    "Tensor-likes are not",
    "Scalars are not",
    "Booleans mismatch",
    "None mismatch",
    "The values for attribute",
    "Expected ",
    "Jacobian mismatch",
    "Numerical gradient",
    "Backward ",
)


@dataclass(frozen=True)
class Comparison:
    """Two values that should be the same: `abs(actual - expected) <= atol + rtol * abs(expected)`."""

    actual: Any
    expected: Any
    rtol: float
    atol: float


def steps(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames of a traceback with the line that each was at, the outermost first."""
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def found_in(error: BaseException) -> Comparison | None:
    """The comparison that an assertion failed by, if it was one of torch's."""
    for frame, _ in steps(error.__traceback__):
        if frame.f_code is torch.testing.assert_close.__code__:
            local = frame.f_locals
            actual, expected = local["actual"], local["expected"]
            rtol, atol = local["rtol"], local["atol"]
            if rtol is None or atol is None:
                rtol, atol = _tolerances(actual, expected)
            return Comparison(actual, expected, rtol, atol)
    return None


def _tolerances(*values: Any) -> tuple[float, float]:
    """What torch allows if it is not told, by dtype: the table in the documentation of `assert_close`."""
    table = {torch.float16: (1e-3, 1e-5), torch.bfloat16: (1.6e-2, 1e-5)}
    table |= dict.fromkeys((torch.float64, torch.complex128), (1e-7, 1e-7))
    inexact = (1.3e-6, 1e-5)
    both = [
        table.get(v.dtype, inexact if v.is_floating_point() or v.is_complex() else (0.0, 0.0)) for v in _tensors(values)
    ]
    return (max(r for r, _ in both), max(a for _, a in both)) if both else (1e-7, 1e-7)


def _tensors(values: Iterable[Any]) -> list[Tensor]:
    return [value for value in values if isinstance(value, Tensor)]


def message_without(text: str) -> str:
    """What a check says itself, without what torch adds about the two values."""
    kept: list[str] = []
    for line in text.splitlines():
        if line.startswith(TORCH_SAYS):
            break
        kept.append(line)
    return "\n".join(kept).strip()


# -- text --------------------------------------------------------------------------------------------------------------


def described(both: Comparison) -> str:
    """Shapes and dtypes first, then values: how many differ, the worst one's index, the two, what was allowed."""
    actual, expected = both.actual, both.expected
    if {type(actual), type(expected)} <= {int, float} and not any(map(_is_huge, (actual, expected))):
        came, wanted = number(actual, expected)
        return f"{came} came, {wanted} was expected (allowed: {_allowed(both)})."
    if not isinstance(actual, Tensor) or not isinstance(expected, Tensor):
        return f"{_word(actual)} came, {_word(expected)} was expected."
    lines = []
    if actual.shape != expected.shape:
        lines.append(f"Shape {tuple(actual.shape)} came, shape {tuple(expected.shape)} was expected.")
    if actual.dtype != expected.dtype:
        lines.append(f"Dtype {_dtype(actual)} came, {_dtype(expected)} was expected.")
    if not lines:
        lines.append(f"Shape {tuple(actual.shape)} and dtype {_dtype(actual)} are as expected.")
    if actual.shape == expected.shape:
        lines += _values(both)
    return "\n".join([*lines, *_side_by_side(actual, expected)])


def _values(both: Comparison) -> list[str]:
    exact = torch.complex128 if both.actual.is_complex() or both.expected.is_complex() else torch.float64
    actual, expected = both.actual.detach().to(exact), both.expected.detach().to(exact)
    off = (actual - expected).abs()
    allowed = both.atol + both.rtol * expected.abs()
    wrong = ~((off <= allowed) | (actual == expected))
    if not wrong.any():
        return []
    worst = tuple(
        int(i) for i in torch.unravel_index(torch.where(wrong, off, -1).nan_to_num(math.inf).argmax(), off.shape)
    )
    came, wanted = number(actual[worst].item(), expected[worst].item())
    where = f"at {list(worst)}" if worst else "here"
    count, of = int(wrong.sum()), wrong.numel()
    differ = f"{count} of {of} element{'s' * (of > 1)} differ{'s' * (count == 1)}"
    return [
        f"{differ} (allowed: {_allowed(both)}).",
        f"The worst is {where}: {came} came, {wanted} was expected.",
    ]


def _allowed(both: Comparison) -> str:
    absolute, relative = f"{both.atol:.2g}", f"{both.rtol:.2g} * abs(expected)"
    return " + ".join([absolute] * bool(both.atol) + [relative] * bool(both.rtol)) or "nothing"


def number(*values: complex) -> list[str]:
    """Numbers with six digits, or with as many as tell them apart."""
    values = tuple(value + 0.0 for value in values)  # 0 for -0
    short = [f"{value:.6g}" for value in values]
    return short if len(set(short)) == len(set(values)) or any(map(cmath.isnan, values)) else [repr(v) for v in values]


def _is_huge(value: Any) -> bool:
    """Whether an int is too large for a float; Python may not even write it down."""
    return isinstance(value, int) and abs(value) > sys.float_info.max


def _word(value: Any) -> str:
    if _is_huge(value):
        return f"an int of {value.bit_length()} bits"
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)[:100]


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _side_by_side(actual: Tensor, expected: Tensor) -> list[str]:
    left, right = _rows(actual), _rows(expected)
    if not left or not right or (actual.numel() <= 1 and expected.numel() <= 1):
        return []
    return ["", *beside(["came", *left], ["expected", *right])]


def beside(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Two blocks of lines next to each other."""
    width = max(map(len, left))
    height = max(len(left), len(right))
    rows = zip([*left, *[""] * (height - len(left))], [*right, *[""] * (height - len(right))], strict=True)
    return [f"{one:<{width}}    {other}".rstrip() for one, other in rows]


def _rows(tensor: Tensor) -> list[str]:
    """A small tensor of at most two dimensions, a line a row."""
    if tensor.dim() > 2 or not 0 < tensor.numel() <= MAX_SHOWN or (tensor.shape or (1,))[-1] > MAX_COLUMNS:
        return []
    matrix = tensor.detach().reshape(-1, (tensor.shape or (1,))[-1]).tolist()
    return table([[f"{entry + 0.0:.4g}" for entry in row] for row in matrix])  # 0 for -0, 1 for True


def table(cells: Sequence[Sequence[str]]) -> list[str]:
    """Cells in columns, aligned at the right."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells]


# -- almost right ------------------------------------------------------------------------------------------------------

DTYPE = "The values are right; their dtype is not. Look for a conversion, or for a tensor made with another dtype."
SIGN = "What came is right but for its sign. Look for a minus too many, or one that is missing."
FACTOR = "What came is right but for a constant factor. Look for a mean where a sum belongs, or a number left out."
TRANSPOSED = "What came is the transpose of what was expected. Write the shapes beside each product."
ONE_MORE = "The values are right; there is a dimension of size 1 too many or too few. Look for keepdim or unsqueeze."
BROADCAST = "The values are right, but broadcasting would be needed: along some dimension there is one copy for many."
SUM_LEFT = "What came has one entry for each copy that broadcasting made; their sum was expected."


def recognised(both: Comparison) -> str | None:
    """In which one way `actual` is almost `expected`: a hint; nothing if in none; None where it cannot be told."""
    actual, expected = both.actual, both.expected
    if not isinstance(actual, Tensor) or not isinstance(expected, Tensor) or not expected.is_floating_point():
        return ""
    if actual.is_complex() and actual.detach().imag.any():
        return ""
    a, e = (actual.real if actual.is_complex() else actual).detach().double(), expected.detach().double()
    if not expected.numel() or not (e.isfinite().all() and a.isfinite().all()):
        return None
    rtol, atol = max(both.rtol, 1e-5), max(both.atol, 1e-6)

    def equal(one: Tensor, other: Tensor) -> bool:
        return one.shape == other.shape and torch.allclose(one, other, rtol=rtol, atol=atol)

    if equal(a, e):
        return (DTYPE if e.numel() >= TELLING else None) if actual.dtype != expected.dtype else ""
    if not _tells(e):
        return None
    if a.shape == e.shape:
        return _scaled(a, e, equal)
    if equal(a.squeeze(), e.squeeze()):
        return ONE_MORE
    if a.dim() == 2 and equal(a.mT, e):
        return TRANSPOSED
    return _broadcast(a, e, equal)


def _tells(expected: Tensor) -> bool:
    """Whether a likeness to a tensor is no accident: a matrix at least, of two by two numbers that are not 0.

    A layer of one input and one output, for example, is a constant factor whatever is wrong with it.
    """
    sides = [side for side in expected.shape if side > 1]
    return len(sides) >= 2 and int(expected.abs().gt(1e-3).sum()) > TELLING


def _scaled(a: Tensor, e: Tensor, equal: Any) -> str:
    if equal(-a, e):
        return SIGN
    factor = (a * e).sum() / e.square().sum()
    if factor.abs() > 1e-3 and equal(a, factor * e):
        return FACTOR
    return TRANSPOSED if a.dim() == 2 and a.shape[0] == a.shape[1] and equal(a.mT, e) else ""


def _broadcast(a: Tensor, e: Tensor, equal: Any) -> str:
    try:
        both = torch.broadcast_tensors(a, e)
    except RuntimeError:  # their shapes do not go together
        return ""
    if equal(*both):
        return BROADCAST
    if a.dim() > e.dim() and equal(a.reshape(-1, *e.shape).sum(0), e):
        return SUM_LEFT
    return ""
