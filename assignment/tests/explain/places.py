# Generated from autograder/places.py; do not edit.
"""Where in its own text a check failed, and which of its statements lead there.

Read off the traceback and the source: of a function's statements those that ran, of each the names that it reads and
sets, and which of these come from the student's code.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from .comparison import steps

SUBJECT = "hw"  # what checks call the student's code


@dataclass(frozen=True)
class Place:
    """Where a check failed: its innermost function that has the student's code at hand.

    Attributes:
        frame: of that function.
        body: its statements up to the failing one, as they ran: what lies in a branch or a loop has been taken out.
        failing: the last of them.
    """

    frame: FrameType
    body: Sequence[ast.stmt]
    failing: ast.stmt

    @property
    def values(self) -> Mapping[str, Any]:
        """The function's variables."""
        return self.frame.f_locals


def places_of(traceback: TracebackType | None, file: str) -> list[Place]:
    """Find where in a check's file it failed: the functions that have the student's code at hand, innermost first."""
    found = []
    for frame, line in reversed(list(steps(traceback))):
        if frame.f_code.co_filename == file and SUBJECT in frame.f_locals and (body := _body(frame, line)):
            found.append(Place(frame, body, body[-1]))
    return found


def statement(frame: FrameType, line: int) -> ast.stmt:
    """The statement that a frame is at; `pass` if its source cannot be read."""
    return (_body(frame, line) or [ast.Pass()])[-1]


def _body(frame: FrameType, line: int) -> list[ast.stmt]:
    """The statements of a frame's function that lead to a line; none if they cannot be read."""
    try:
        lines, first = inspect.getsourcelines(frame.f_code)
        function = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, SyntaxError, IndexError):
        return []
    return list(_until(function.body, line - first + 1)) if isinstance(function, ast.FunctionDef) else []


def _until(body: Iterable[ast.stmt], line: int) -> Iterable[ast.stmt]:
    """The statements that lead to a line: of a loop, a branch or a `with` around it, only what is inside."""
    for statement in body:
        if statement.lineno > line:
            return
        inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(statement, name, [])]
        if inner and inner[0].lineno <= line <= (statement.end_lineno or 0):
            yield from _until(inner, line)
        else:
            yield statement


def loads(node: ast.AST) -> set[str]:
    """The names that a piece of code reads; those of a comprehension are its own."""
    return _names(node, ast.Load)


def stores(node: ast.AST) -> set[str]:
    """The names that a piece of code sets."""
    return _names(node, ast.Store)


def _names(node: ast.AST, kind: type[ast.expr_context]) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, kind) else set()
    found: set[str] = set().union(*(_names(child, kind) for child in ast.iter_child_nodes(node)))
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        found -= set().union(*(_names(part.target, ast.Store) for part in node.generators))
    return found


def of_student(body: Iterable[ast.stmt]) -> set[str]:
    """The names of what comes from the student's code, in a function's statements."""
    found = {SUBJECT}
    for statement in body:
        if loads(statement) & found:
            found |= stores(statement)
    return found


def gave_none(place: Place) -> bool:
    """Whether a call of the student's code, of whose result the failing statement makes use, returned None."""
    student = of_student(place.body)
    made = {name: s.value for s in place.body if isinstance(s, ast.Assign) for name in stores(s)}
    named = {name for name in loads(place.failing) & made.keys() if place.values.get(name) is None}
    if any(_calls(made[name], student) for name in named):
        return True
    used = [node.value for node in ast.walk(place.failing) if isinstance(node, ast.Attribute)]
    used += [node.args[0] for node in ast.walk(place.failing) if isinstance(node, ast.Call) and node.args]
    attributes = any(isinstance(node, ast.Name) and node.id in student - {SUBJECT} for node in used)
    return not attributes and any(_calls(node, student) for node in used)


def _calls(node: ast.expr, student: Collection[str]) -> bool:
    """Whether an expression is a call of the student's code itself: `hw.f(x)`, `layer(X)`, `hw.ReLU()(X)`."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    while isinstance(called, ast.Attribute):
        called = called.value
    return (
        _calls(called, student) if isinstance(called, ast.Call) else loads(called) <= {*student} and bool(loads(called))
    )
