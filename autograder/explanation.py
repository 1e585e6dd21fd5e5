"""Explains why a check failed: from what it raised, its own text, and the examples that Hypothesis tried."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from . import comparison, example
from .comparison import steps
from .jacobians import jacobians
from .places import SUBJECT, Place, gave_none, loads, of_student, places_of, statement

STUB = "This is still the stub: it raises NotImplementedError. Replace that line by your own code."
NONE = "Your code returned None. Is a `return` missing, or does it stand in a branch that is not taken?"
CHANGED = (
    "Your code changes a tensor that it is given. Operations whose name ends in `_` do that, and so do +=, *= and -=."
)
FLOAT64_ONLY = (
    "Your code is right in float64 and not in float32. Look for a dtype that is written down instead of taken from the "
    "input, and for numbers that are too small or too large for float32."
)
GRADCHECK = "torch.autograd.gradcheck finds that backward and finite differences of forward disagree."
DIFFERENT = "What came is not what was expected."
ARGUMENTS = r"(?m)^(?:Falsifying example|Failing test case): "  # how Hypothesis begins to say what it tried
MAX_MESSAGE = 1_500  # characters
MAX_STEPS = 16  # of a traceback, as many as a worker sends
Part = TypeVar("Part")


@dataclass(frozen=True)
class Explanation:
    """Parts of `feedback.Feedback`: see there."""

    message: str = ""
    comparison: str = ""
    jacobians: str = ""
    example: str = ""
    hint: str = ""

    def details(self) -> dict[str, str]:
        """All parts but the message."""
        return {name: text for name, text in vars(self).items() if name != "message"}


@dataclass
class Examples:
    """The examples of one check that failed: Hypothesis makes them smaller, and the smallest one tells least.

    Attributes:
        almost: of each, in which simple way it was almost right; see `comparison.recognised`.
        arguments: those of the smallest one, drawn by Hypothesis.
        test: runs it again, with other arguments where they are given.
    """

    almost: list[str | None] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    test: Callable[..., Any] | None = None

    def failed(
        self, error: BaseException, arguments: Mapping[str, Any], test: Callable[..., Any], *, smallest: bool = True
    ) -> None:
        """Take note of one; the smallest is the last of which this is said."""
        self.almost.append(_tried(lambda: _almost(error), None))
        if smallest:
            self.arguments, self.test = dict(arguments), test

    def hint(self) -> str:
        """What all have in common, as far as it can be told of each."""
        told = {hint for hint in self.almost if hint is not None}
        common = told.pop() if len(told) == 1 else ""
        return FLOAT64_ONLY if common != comparison.DTYPE and self._right_in_float64() else common

    def _right_in_float64(self) -> bool:
        """Whether the same example passes once float32 is float64 in it."""
        single = [name for name, value in self.arguments.items() if value is torch.float32]
        if not single or self.test is None:
            return False
        try:
            self.test(**{name: torch.float64 for name in single})
        except KeyboardInterrupt:
            raise
        except BaseException:  # pytest's own are no Exception, nor is that of a worker which is lost
            return False
        return True


def _almost(error: BaseException) -> str | None:
    """In which simple way what came is almost right; see `comparison.recognised`."""
    found = comparison.found_in(error)
    return comparison.recognised(found) if found else ""


def _tried(part: Callable[[], Part], otherwise: Part, lost: Callable[[], object] = lambda: None) -> Part:
    """One part of an explanation; where it goes wrong, the others are said all the same."""
    try:
        return part()
    except KeyboardInterrupt:
        raise
    except BaseException:  # student code may run once more here, and end a worker, or what runs it
        lost()
        return otherwise


def explain(
    error: BaseException,
    text: str,
    file: str,
    provider: Mapping[str, str],
    examples: Examples | None = None,
    *,
    cooperative: bool = False,
    changed: bool | None = None,
    lost: Callable[[], object] = lambda: None,
) -> Explanation:
    """What can be said of a failure.

    Args:
        error: what the check raised.
        text: what it says.
        file: the check's file.
        provider: the module of each name that `hw` has.
        examples: those of Hypothesis that failed.
        cooperative: whether the check looks at what becomes of its inputs.
        changed: whether student code changed one; None where that is to be seen from the tensors themselves.
        lost: called where a part cannot be had, while its exception is handled.
    """
    nowhere: list[Place] = []
    places = _tried(lambda: places_of(error.__traceback__, file), nowhere, lost)
    place = places[0] if places else None
    code = _tried(lambda: example.code(places, provider), "", lost)
    message = _message(text, bool(code)) or (GRADCHECK if isinstance(error, GradcheckError) else DIFFERENT)
    compared = _tried(lambda: _described(error), "", lost)
    if examples is None or not examples.almost:
        examples = Examples([_tried(lambda: _almost(error), None, lost)])
    stubs = tuple(f"{module}: " for module in provider.values())

    def plain() -> str:
        if _is_stub(error, stubs):
            return STUB
        if place and _is_about_none(error) and gave_none(place):
            return NONE
        return CHANGED if cooperative and (_has_changed_input(place) if changed is None else changed) else ""

    # Last what runs student code once more: its worker may not outlive that.
    hint = _tried(plain, "", lost) or _tried(examples.hint, "", lost)
    return Explanation(message, compared, _tried(lambda: jacobians(error, place), "", lost), code, hint)


def _described(error: BaseException) -> str:
    found = comparison.found_in(error)
    return comparison.described(found) if found else ""


def _message(text: str, has_code: bool) -> str:
    """What the check says itself; the arguments of Hypothesis' example only where there is no code to show it."""
    own = comparison.message_without(text)
    if has_code:
        own = re.split(ARGUMENTS, own)[0].strip()
    return own if len(own) <= MAX_MESSAGE else f"{own[:MAX_MESSAGE]} [{len(own)} characters in all]"


def _is_stub(error: BaseException, beginnings: tuple[str, ...]) -> bool:
    """Whether a stub raised, which says its question and what to write."""
    kind, said = getattr(error, "type_name", type(error).__name__), getattr(error, "message", str(error))
    return kind == "NotImplementedError" and said.startswith(beginnings)


def _has_changed_input(place: Place | None) -> bool:
    """Whether a tensor that the check made itself was changed: as autograd counts it, or it is not what was written."""
    if place is None:
        return False
    given = {name for statement in place.body for name in loads(statement)} - of_student(place.body)
    tensors = {name for name in given if type(place.values.get(name)) is Tensor}
    return any(place.values[name]._version or example.has_changed(place, name) for name in tensors)


def _is_about_none(error: BaseException) -> bool:
    """Whether a check was stopped by None where the student's code should have returned something."""
    frame, line = list(steps(error.__traceback__))[-1]
    if isinstance(error, (TypeError, AttributeError)):
        return "NoneType" in str(error) and SUBJECT in frame.f_locals
    if isinstance(error, AssertionError):
        return any(
            isinstance(node, ast.Call) and _asks_kind(node, frame.f_locals) for node in ast.walk(statement(frame, line))
        )
    return False


def _asks_kind(node: ast.Call, values: Mapping[str, Any]) -> bool:
    """Whether a call is `isinstance(x, ...)` where x is None."""
    match node:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), _]):
            return name in values and values[name] is None
    return False


def in_files(error: BaseException, own: Callable[[str], str | None]) -> Sequence[tuple[str, int, str, str]]:
    """The steps of a traceback that are in some files: file, line, function, source.

    Args:
        error: what was raised.
        own: the short name of such a file; None for any other.
    """
    found = []
    for frame, line in steps(error.__traceback__):
        if name := own(frame.f_code.co_filename):
            source = linecache.getline(frame.f_code.co_filename, line).strip()
            found.append((name, line, frame.f_code.co_name, source))
    return found if len(found) <= MAX_STEPS else [*found[: MAX_STEPS // 4], *found[-3 * MAX_STEPS // 4 :]]
