"""What backward says beside finite differences of forward, where a gradient is wrong.

The function and its inputs are those of a gradcheck that said no, or of the gradient that a check asked for.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence

import numpy
import torch
from torch import Tensor

from .comparison import beside, number, steps, table
from .places import SUBJECT, Place, loads, stores

MAX_JACOBIAN = 64  # rows, and columns
SHOWN = 6  # rows and columns of a Jacobian
STEP = 1e-6  # of finite differences, in float64
CLOSE = 1e-4  # relative; finite differences are no better than that where numbers are large
Inputs = dict[str, Tensor]


def jacobians(error: BaseException, place: Place | None) -> str:
    """Two Jacobians side by side where backward and finite differences disagree; nothing where they cannot be had."""
    try:
        found = _of_gradcheck(error) or (place and _of_check(place))
        if not found:
            return ""
        function, inputs = found
        return _compared(function, inputs)
    except KeyboardInterrupt:
        raise
    except BaseException:  # student code runs here once more, and may do anything that it did not do in the check
        return ""


def _of_gradcheck(error: BaseException) -> tuple[Callable[[], Tensor], Inputs] | None:
    """The function and the inputs of a gradcheck that said no."""
    for frame, _ in steps(error.__traceback__):
        if frame.f_code is torch.autograd.gradcheck.__code__:
            function, inputs = frame.f_locals["func"], frame.f_locals["inputs"]
            given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
            named = {f"input {number}": tensor for number, tensor in enumerate(given, 1) if tensor.requires_grad}
            return functools.partial(function, *given), named
    return None


def _of_check(place: Place) -> tuple[Callable[[], Tensor], Inputs] | None:
    """The result and the inputs of `torch.autograd.grad(result, inputs, ...)`, where a check has come that far."""
    for statement in place.body:
        for node in ast.walk(statement):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="grad") | ast.Name(id="gradients"),
                    args=[result, ast.Tuple() | ast.List() as inputs, *_],
                ):
                    found = _recomputed(place, statement, result, inputs.elts)
                case ast.Call(func=ast.Attribute(attr="grad"), args=[result, ast.Name() as one, *_]):
                    found = _recomputed(place, statement, result, [one])
                case _:
                    found = None
            if found:
                return found
    return None


def _recomputed(
    place: Place, until: ast.stmt, result: ast.expr, inputs: Sequence[ast.expr]
) -> tuple[Callable[[], Tensor], Inputs] | None:
    """A function that computes a result again from inputs as they are now; None if the student has no part in it."""
    roots = {name for expression in inputs for name in loads(expression)}
    student, again = {SUBJECT}, []
    for statement in place.body[: place.body.index(until)]:
        if loads(statement) & student:
            student |= stores(statement)
        if isinstance(statement, ast.Assign) and loads(statement) & roots and not stores(statement) & roots:
            roots |= stores(statement)
            again.append(statement)
    if not loads(result) & student:
        return None
    module = compile(ast.fix_missing_locations(ast.Module(list(again), [])), "<check>", "exec")
    expression = compile(ast.Expression(result), "<check>", "eval")
    scope = {**place.frame.f_globals, **place.values}

    def compute() -> Tensor:
        local = dict(scope)
        exec(module, local)
        return eval(expression, local)

    named = {ast.unparse(e): eval(compile(ast.Expression(e), "<check>", "eval"), dict(scope)) for e in inputs}
    return compute, named


def _compared(function: Callable[[], Tensor], inputs: Inputs) -> str:
    tensors = list(inputs.values())
    if any(t.dtype is not torch.float64 or not t.is_leaf for t in tensors):
        return ""
    columns = [(name, _index(index)) for name, t in inputs.items() for index in numpy.ndindex(*t.shape)]
    result = function()
    if not 0 < result.numel() <= MAX_JACOBIAN or not 0 < len(columns) <= MAX_JACOBIAN:
        return ""
    backward = _backward(function, result, tensors)
    differences = _differences(function, tensors)
    wrong = ~torch.isclose(backward, differences, rtol=CLOSE, atol=CLOSE * max(1.0, differences.abs().max().item()))
    if not wrong.any():
        return ""
    row, column = wrong.nonzero()[0].tolist()
    rows = [_index(index) for index in numpy.ndindex(*result.shape)]
    name, at = columns[column]
    own = [i for i, (other, _) in enumerate(columns) if other == name]
    high, wide = _window(range(len(rows)), row), _window(own, column)
    blocks = [
        table(
            [
                [title, *(columns[j][1] or name for j in wide)],
                *([rows[i] or "result", *(_cell(matrix, i, j, row, column) for j in wide)] for i in high),
            ]
        )
        for title, matrix in (("backward", backward), ("differences", differences))
    ]
    whole = len(high) == len(rows) and len(wide) == len(own)
    part = "" if whole else f", a part of {len(rows)} rows and {len(own)} columns"
    said, true = number(backward[row, column].item(), differences[row, column].item())
    return "\n".join(
        [
            *beside(*blocks),
            "",
            f"A row is for an entry of the result, a column for one of {name}{part}. The first that differs has a *:",
            f"d result{rows[row]} / d {name}{at} is {said} by backward, {true} by finite differences.",
        ]
    )


def _index(index: Sequence[int]) -> str:
    return str(list(index)) if index else ""


def _window(places: Sequence[int], around: int) -> Sequence[int]:
    """As many neighbouring places as are shown, with a given one among them."""
    first = max(0, min(places.index(around) - 1, len(places) - SHOWN))
    return places[first : first + SHOWN]


def _cell(matrix: Tensor, i: int, j: int, row: int, column: int) -> str:
    return f"{'*' if (i, j) == (row, column) else ''}{matrix[i, j] + 0.0:.4g}"  # 0 for -0


def _backward(function: Callable[[], Tensor], result: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """A row an entry of the result, a column an entry of the inputs: what backward says."""
    rows = []
    for upstream in torch.eye(result.numel(), dtype=result.dtype):
        found = torch.autograd.grad(function(), inputs, upstream.view(result.shape), allow_unused=True)
        parts = [torch.zeros_like(t) if g is None else g for g, t in zip(found, inputs, strict=True)]
        rows.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(rows)


def _differences(function: Callable[[], Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """The same by central differences; the inputs are as they were afterwards."""
    columns = []
    with torch.no_grad():
        for tensor in inputs:
            for index in numpy.ndindex(*tensor.shape):
                before = tensor[index].item()
                values = []
                for step in (STEP, -STEP):
                    tensor[index] = before + step
                    values.append(function().detach().flatten())
                tensor[index] = before
                columns.append((values[0] - values[1]) / (2 * STEP))
    return torch.stack(columns, 1)
