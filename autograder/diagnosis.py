"""Recognises known mistakes by behaviour: what a probe saw of a submission, against what it saw of every mutant.

A behaviour is a list of observations by name, plain JSON values (see `probing`). What counts is where it deviates from
the solution's, and how: a submission has a mutant's mistake if it deviates in the same places in the same way. Wrong in
no known way: no hint, never a guess.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import Homework
from .errors import ConfigError

RECORD = "behaviour.json"  # below the solution
LOOSE = 1e-3  # relative; how far two answers with the same mistake may be apart
SAME = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-2, "bfloat16": 1e-1}  # as right as the solution
# What a name that is misspelled, or a file that does not load, ends in: never the same mistake as any other.
UNLIKE_OTHERS = frozenset({"NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "SyntaxError"})

Behaviour = Mapping[str, Any]  # by name, what was seen


@dataclass(frozen=True)
class Mistake:
    """A mutant as recorded: its hint, and what it does otherwise than the solution."""

    name: str
    hint: str
    deviations: Behaviour


@dataclass(frozen=True)
class Known:
    """What is recorded of one question: the solution's behaviour, and every mutant's."""

    solution: Behaviour
    mistakes: tuple[Mistake, ...]

    def recognise(self, seen: Behaviour) -> list[Mistake]:
        """The mistakes that explain all that was seen to deviate; several only where they cannot be told apart."""
        found = deviations(seen, self.solution)
        if not found:
            return []
        return [mistake for mistake in self.mistakes if alike(found, mistake.deviations)]

    def hint(self, seen: Behaviour) -> str:
        """The hint that what was seen deserves, or nothing."""
        hints = {mistake.hint for mistake in self.recognise(seen)}
        return hints.pop() if len(hints) == 1 else ""


def known(solution: Behaviour, mutants: Iterable[tuple[str, str, Behaviour]]) -> Known:
    """What is to be recorded of a question: mutants are told by name, hint and what was seen of them."""
    mistakes = (Mistake(name, one_line(hint), deviations(seen, solution)) for name, hint, seen in mutants)
    return Known(solution, tuple(mistake for mistake in mistakes if mistake.deviations))


def one_line(hint: str) -> str:
    """A docstring without its line breaks."""
    return " ".join(hint.split())


def deviations(seen: Behaviour, solution: Behaviour) -> dict[str, Any]:
    """What was seen otherwise than with the solution; an observation that is missing is one that deviates."""
    names = dict.fromkeys([*solution, *seen])
    return {name: seen.get(name) for name in names if not same(seen.get(name), solution.get(name), loose=False)}


def alike(these: Behaviour, those: Behaviour) -> bool:
    """Whether two answers deviate from the solution in the same places, in the same way."""
    return these.keys() == those.keys() and all(same(value, those[name], loose=True) for name, value in these.items())


def same(one: Any, other: Any, *, loose: bool) -> bool:
    """Whether two observations are the same, up to rounding or, if `loose`, up to how a mistake is written."""
    if not (isinstance(one, list) and isinstance(other, list)):
        return type(one) is type(other) and bool(one == other)
    match one, other:
        case ["raises", a], ["raises", b]:
            return a == b or not UNLIKE_OTHERS & {a, b}  # the same mistake ends in one exception or another
        case ["lost", _], ["lost", _]:
            return True
        case ["number", a, tolerance], ["number", b, _]:
            return _close([a], [b], tolerance or 1e-6, loose)
        case ["tensor", dtype, shape, a, tolerance], ["tensor", dtype2, shape2, b, _]:
            return dtype == dtype2 and shape == shape2 and _close(a, b, tolerance or SAME.get(dtype, 0.0), loose)
        case ["list", *items], ["list", *items2]:
            return len(items) == len(items2) and all(map(lambda a, b: same(a, b, loose=loose), items, items2))
        case [kind], [kind2]:
            return bool(kind == kind2)
    return False


def _close(these: list[Any], those: list[Any], tolerance: float, loose: bool) -> bool:
    """Compare numbers, some of which may be the names of what is not finite."""
    allowed = max(tolerance, LOOSE) if loose else tolerance
    size = max([1.0, *(abs(b) for b in those if not isinstance(b, str))])
    for a, b in zip(these, those, strict=True):
        if isinstance(a, str) or isinstance(b, str):
            if a != b:
                return False
        elif not math.isclose(a, b, rel_tol=allowed, abs_tol=allowed * size):
            return False
    return True


def recorded(homework: Homework) -> dict[str, Known]:
    """What is recorded of each question; nothing before `validate --record` was run.

    Raises:
        ConfigError: the file is not what was written.
    """
    path = homework.path(homework.solutions) / RECORD
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {
            question: Known(
                dict(known["solution"]),
                tuple(
                    Mistake(name, str(mutant["hint"]), dict(mutant["deviations"]))
                    for name, mutant in known["mutants"].items()
                ),
            )
            for question, known in record.items()
        }
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; run `autograder validate --record`") from error


def record(homework: Homework, known: Mapping[str, Known]) -> Path:
    """Write down how the solution and every mutant behave."""
    lines = []
    for question, of in known.items():
        mutants = [
            f"{json.dumps(m.name)}: {json.dumps({'hint': m.hint, 'deviations': _short(m.deviations)})}"
            for m in of.mistakes
        ]
        rows = ",\n".join(mutants)
        lines.append(f'{json.dumps(question)}: {{"solution": {json.dumps(of.solution)},\n"mutants": {{\n{rows}\n}}}}')
    path = homework.path(homework.solutions) / RECORD
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def _short(value: Any) -> Any:
    """The same with six digits: two answers with one mistake need not agree in more."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_short(item) for item in value]
    return {name: _short(item) for name, item in value.items()} if isinstance(value, dict) else value
