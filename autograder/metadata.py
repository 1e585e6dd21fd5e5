"""Reads the `submission_metadata.yml` of Gradescope's exports, as far as it says who handed in what and when.

YAML is read as a stream of events, not as objects: no tag makes anything, nesting cannot exhaust the stack, results,
which are most of the file, are passed over, and numbers such as student identifiers stay the text that they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

MAX_SIZE = 64 << 20  # bytes
MAX_ENTRIES = 100_000
_MAX_DEPTH = 8  # what is wanted lies four levels deep
_TOO_DEEP = 200  # libyaml takes the square of the depth
_UNWANTED = frozenset({":results", "results"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Submitter:
    """A student, as Gradescope's roster has them; any of it may be empty."""

    name: str
    sid: str
    email: str

    @property
    def identity(self) -> str:
        """What tells this student from all others, as far as is known."""
        return self.sid or self.email or self.name


@dataclass(frozen=True)
class Entry:
    """One submission.

    Attributes:
        submitters: the student, or all of a group.
        created_at: when, in ISO 8601 with a time zone, or empty.
        earlier: how many attempts this one superseded.
        notes: what could not be understood.
    """

    submitters: tuple[Submitter, ...]
    created_at: str
    earlier: int
    notes: tuple[str, ...]

    @property
    def identity(self) -> str:
        """The student's, or all of a group's."""
        return "+".join(sorted(person.identity for person in self.submitters))


def read(content: bytes) -> dict[str, Entry]:
    """Read the description of an export.

    Raises:
        ValueError: it is not one; in one line, which follows its name.
    """
    try:
        data = _plain(yaml.parse(content, Loader=_LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise ValueError(f"is not YAML that can be read{where}: download the export again") from error
    if not isinstance(data, dict) or not data:
        raise ValueError("does not list any submission: download the export again")
    if len(data) > MAX_ENTRIES:
        raise ValueError(f"lists more than {MAX_ENTRIES} submissions")
    return {key: _entry(value) for key, value in data.items()}


def _entry(value: Any) -> Entry:
    fields = value if isinstance(value, dict) else {}
    people = fields.get(":submitters")
    submitters = tuple(
        Submitter(*(_text(person.get(key)) for key in (":name", ":sid", ":email")))
        for person in (people if isinstance(people, list) else [])
        if isinstance(person, dict)
    )
    history = fields.get(":history")
    stamp = _text(fields.get(":created_at"))
    created_at = _time(stamp)
    notes = [] if submitters else ["the export does not say who handed it in"]
    notes += [f"its time cannot be read: {stamp[:40]}"] if stamp and not created_at else []
    return Entry(submitters, created_at, len(history) if isinstance(history, list) else 0, tuple(notes))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _time(stamp: str) -> str:
    """A time as YAML writes it, in ISO 8601; one without a zone is UTC, as YAML has it."""
    try:
        time = datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$|Z$)", "", stamp))
    except ValueError:
        return ""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()


def _plain(events: Iterator[Any]) -> Any:
    """Build mappings, lists and texts of the first document; what lies too deep, or is not wanted, is None."""
    anchors: dict[str, Any] = {}
    stack: list[_Node] = []
    root = _Node(None)
    skipped = 0  # how deep in something that is passed over
    for event in events:
        if isinstance(event, yaml.DocumentEndEvent):
            break
        opens = isinstance(event, yaml.CollectionStartEvent)
        if skipped:
            skipped += opens - isinstance(event, yaml.CollectionEndEvent)
            if skipped > _TOO_DEEP:
                raise ValueError("nested too deeply")
            continue
        parent = stack[-1] if stack else root
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif opens:
            if len(stack) >= _MAX_DEPTH or (isinstance(parent.key, str) and parent.key in _UNWANTED):
                parent.add(None)
                skipped = 1
                continue
            node = _Node({} if isinstance(event, yaml.MappingStartEvent) else [])
            parent.add(node.value)
            stack.append(node)
            if event.anchor:
                anchors[event.anchor] = node.value
        elif isinstance(event, yaml.ScalarEvent):
            empty = event.implicit[0] and event.value in ("", "~", "null")
            value = None if empty and event.style is None else event.value
            parent.add(value)
            if event.anchor:
                anchors[event.anchor] = value
        elif isinstance(event, yaml.AliasEvent):
            parent.add(anchors.get(event.anchor))
    return root.value


class _Node:
    """A mapping, a list or the document while it is filled."""

    def __init__(self, value: Any):
        self.value = value
        self.key: Any = None
        self._has_key = False

    def add(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif not isinstance(self.value, dict):
            self.value = value
        elif self._has_key:
            if isinstance(self.key, str):
                self.value[self.key] = value
            self.key, self._has_key = None, False
        else:
            self.key, self._has_key = value, True
