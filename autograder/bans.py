"""Which banned names a submission uses: judges the facts that a worker has read from its files.

How a ban is written: `torch.relu` is that name alone; a `*` at the end stands for any rest, so that
`torch.nn.*` is everything below torch.nn and not torch.nn itself; `.relu` is an attribute or method of that
name on anything but the student's own. `allow` lifts what names of the first two kinds cover. A use that
hides what it takes (`torch.nn.?`, see `facts`) is banned wherever something below it is.

A ban covers the question's own file and the helper modules that it imports; with a `scope`, only what that
function can reach by calls. What these take from another question's file, other than the names of its
contract, is looked at too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .config import Ban, Homework, Question
from .facts import MAX_MODULES, MAX_NAME, MAX_USES

MAX_LINES = 20  # of one question
_LAST_LINE = 10_000_000


class Use(NamedTuple):
    """A name that a file uses: where, and what."""

    scope: str
    name: str
    line: int


@dataclass(frozen=True)
class Facts:
    """What is known of one file; see `facts.facts_of`."""

    error: tuple[int, str] | None = None
    complete: bool = True
    uses: tuple[Use, ...] = ()
    imports: tuple[str, ...] = ()
    exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse_facts(reply: object) -> Facts:
    """Check the facts that came from a worker.

    Raises:
        ValueError: they are not what `facts.facts_of` returns.
    """
    if not isinstance(reply, dict) or set(reply) != {"error", "complete", "uses", "imports", "exports"}:
        raise ValueError("facts: not a dictionary of the five fields")
    error, complete = reply["error"], reply["complete"]
    if error is not None:
        line, message = _row(error, int, str)
        error = (_line(line), "".join(c if c.isprintable() else " " for c in message[:MAX_NAME]))
    if not isinstance(complete, bool):
        raise ValueError("facts: complete is not true or false")
    exports: dict[str, tuple[str, ...]] = {}
    for row in _rows(reply["exports"], MAX_MODULES):
        name, thing = _row(row, str, str)
        key = name if name == "*" else _name(name)
        exports[key] = (*exports.get(key, ()), _name(thing))
    uses = [_row(row, str, str, int) for row in _rows(reply["uses"], MAX_USES)]
    return Facts(
        error=error,
        complete=complete,
        uses=tuple(Use(_name(scope, empty=True), _name(name), _line(line)) for scope, name, line in uses),
        imports=tuple(_name(name) for name in _rows(reply["imports"], MAX_MODULES)),
        exports=exports,
    )


def _rows(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"facts: not a list of at most {most}")
    return value


def _row(value: object, *types: type) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or [type(part) for part in value] != list(types):
        raise ValueError("facts: a row has other parts than it should")
    return tuple(value)


def _name(value: object, empty: bool = False) -> str:
    """A dotted name as `facts` writes it: identifiers, perhaps a dot in front, or `*` or `?` at the end."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise ValueError("facts: a name is not text, or too long")
    *before, last = value.removeprefix(".").split(".")
    good = all(part.isidentifier() for part in before) and (last.isidentifier() or (before and last in ("*", "?")))
    if not good and not (empty and not value):
        raise ValueError("facts: a name is not a dotted name")
    return value


def _line(value: int) -> int:
    if not 0 <= value <= _LAST_LINE:
        raise ValueError("facts: a line number is out of range")
    return value


def violations(
    homework: Homework, question: Question, facts: Mapping[str, Facts], waived: Sequence[str] = ()
) -> tuple[str, ...]:
    """The banned names that a question uses, one line each; empty if it uses none.

    Args:
        homework: whose bans hold for every question.
        question: whose own bans hold besides; one without a file has nothing to judge.
        facts: by file name, those of all files of the submission.
        waived: names that may be used all the same, written as in a ban.
    """
    if question.file is None or question.file not in facts:
        return ()
    view = _View(homework, question, facts)
    found: dict[tuple[str, int, str], str] = {}
    for ban, owner in [(homework.bans, "homework"), *((ban, "question") for ban in question.bans)]:
        for file, use in view.reach(ban.scope):
            for name in view.meanings(use.name):
                if view.is_banned(ban, name) and not _is_waived(waived, name):
                    said = _said(name, owner, ban.scope)
                    found.setdefault((file, use.line, name), f"{file}:{use.line} {said}")
    for file in sorted(view.unread):
        found[file, 0, ""] = f"{file} cannot be looked through for banned names: it is too large or too deeply nested"
    lines = [found[key] for key in sorted(found)]
    more = [f"and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
    return (*lines[:MAX_LINES], *more)


def _said(name: str, owner: str, scope: str) -> str:
    where = f" in {scope}" if scope else ""
    if name.endswith(".?"):
        return f"hides what it takes of {name[:-2]}, some of which this {owner} bans{where}"
    return f"uses {name}, which this {owner} bans{where}"


class _View:
    """One question's view of a submission's files."""

    def __init__(self, homework: Homework, question: Question, facts: Mapping[str, Facts]):
        self.file = question.file or ""
        self.facts = facts
        self.others = set(homework.by_file) - {self.file}
        self.contract = set(homework.provider)
        self.own = {file.removesuffix(".py") for file in {*facts, *homework.by_file}}
        self.unread: set[str] = set()
        # for each scope of each file, the uses in it and in the scopes inside it
        self.within: dict[str, dict[str, list[Use]]] = {}
        for file, known in facts.items():
            table = self.within[file] = {}
            for use in known.uses:
                parts = use.scope.split(".") if use.scope else []
                for depth in range(len(parts) + 1):
                    table.setdefault(".".join(parts[:depth]), []).append(use)

    def reach(self, scope: str) -> Iterator[tuple[str, Use]]:
        """The uses in the question's file and in its helpers; with a scope, in that and in what it calls."""
        waiting, seen = [(self.file, scope)], set[tuple[str, str]]()
        while waiting:
            place = waiting.pop()
            if place in seen or place[0] not in self.facts:
                continue
            seen.add(place)
            file, inner = place
            if not self.facts[file].complete:
                self.unread.add(file)
            if not inner:
                waiting += [(helper, "") for name in self.facts[file].imports if (helper := self._helper(name))]
            elif "." in inner:
                waiting += self._inherited(file, inner)
            for use in self.within[file].get(inner, ()):
                yield file, use
                for name in self.meanings(use.name):
                    root, _, rest = name.partition(".")
                    if rest and self._is_followed(root, rest):
                        waiting.append((f"{root}.py", rest))

    def _helper(self, module: str) -> str | None:
        file = f"{module.partition('.')[0]}.py"
        return file if file in self.facts and file not in self.others and file != self.file else None

    def _is_followed(self, root: str, rest: str) -> bool:
        """Whether a use leads to something of the student's that this question answers for."""
        contract = f"{root}.py" in self.others and rest.partition(".")[0] in self.contract
        return root in self.own and not contract

    def _inherited(self, file: str, scope: str) -> Iterator[tuple[str, str]]:
        """For a method, the methods of that name in the classes that its class is made from."""
        owner, _, method = scope.rpartition(".")
        for use in self.within[file].get(owner, ()):
            if use.scope == owner:
                for name in self.meanings(use.name):
                    root, _, rest = name.partition(".")
                    if rest and root in self.own:
                        yield f"{root}.py", f"{rest}.{method}"

    def meanings(self, name: str) -> set[str]:
        """The name, and what it stands for where it goes through another of the student's modules."""
        found, waiting = set[str](), [name]
        while waiting and len(found) < MAX_NAME:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            root, _, rest = name.partition(".")
            known = self.facts.get(f"{root}.py")
            if known is None or not rest:
                continue
            first, _, further = rest.partition(".")
            things = known.exports.get(first) or tuple(f"{star}.{first}" for star in known.exports.get("*", ()))
            waiting += [f"{thing}.{further}" if further else thing for thing in things]
        return found

    def is_banned(self, ban: Ban, name: str) -> bool:
        """Whether a ban covers this name."""
        if name.partition(".")[0] in self.own:
            return False
        if any(pattern[1:] in name.split(".")[1:] for pattern in ban.names if pattern.startswith(".")):
            return True
        if any(_covers(pattern, name) for pattern in ban.allow):
            return False
        hidden = name.endswith(".?")
        return any(_covers(p, name) or (hidden and p.startswith(name[:-1])) for p in ban.names)


def _is_waived(waived: Sequence[str], name: str) -> bool:
    """Whether a waiver names this very use; what hides a name is waived only where all that it may hide is."""
    attributes = name.split(".")[1:]
    return any(p[1:] in attributes if p.startswith(".") else _covers(p, name) for p in waived)


def _covers(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
