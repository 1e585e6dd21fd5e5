"""Attempts: who handed in what, and when, where it lies, and which attempt counts.

What one holds is read later, one at a time. Nothing is dropped: an attempt that is empty, missing or cannot be read is
one as well, and says so when it is read.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from .config import Homework
from .errors import ConfigError, SubmissionError
from .folders import Folder, Reader, Unreadable, enter, find, list_export, list_nested_zip, read_file, shown
from .submissions import Submission, choose, open_path, read_submission

CHOICES = ("latest", "best", "active", "all")


@dataclass(frozen=True)
class Place:
    """Where an attempt lies. Nothing of it is open.

    Attributes:
        root: the folder or the zip of a class; or the submission itself.
        main: the way from there to a folder or a zip; empty for the root itself, None if there is none.
        loose: single files beside it: the way to each, and the student's own name for it.
    """

    root: Path
    main: str | None = ""
    loose: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Handed:
    """One attempt of one student or group.

    Attributes:
        name: unique, and safe as the name of a folder; the same when others hand in later.
        student: who, as the platform writes it; of a group, the first, or the group's name.
        identity: what stays the same over attempts: a number, an address, or the name.
        members: all of a group, the student included; none if alone, or if the export does not say.
        attempt: 1, 2, ... in order of time, or of names.
        submitted: when, in ISO 8601 with a time zone; empty if the export does not say.
        late: None if the export does not say.
        active: whether the platform counts this attempt; where it does not say, the last.
        source: where it lies, for people.
        note: what was odd about it in the export.
        place: where it lies, for reading.
        platform: `gradescope`, `canvas`, `moodle`, or empty.
    """

    name: str
    student: str
    identity: str
    members: tuple[str, ...] = ()
    attempt: int = 1
    submitted: str = ""
    late: bool | None = None
    active: bool = True
    source: str = ""
    note: str = ""
    place: Place = field(default_factory=lambda: Place(Path()))
    platform: str = ""

    def read(self, homework: Homework) -> Submission:
        """Read what was handed in.

        Raises:
            SubmissionError: there is nothing that could be graded; one line.
        """
        if self.place.main == "":
            return read_submission(self.place.root, homework, self.name)
        if self.place.main is None and not self.place.loose:
            raise SubmissionError(f"{shown(self.source)}: {self.note or 'nothing was handed in'}")
        with contextlib.ExitStack() as stack:
            return choose(_open(self.place, homework, stack), homework, self.name, self.source)


def single(name: str, path: Path) -> Handed:
    """Make an attempt of a folder, a zip or a single file."""
    return Handed(name, name, name, source=str(path), place=Place(path))


def accept(entry: Handed, homework: Homework) -> Submission:
    """Read what was handed in; where that cannot be, it is graded all the same, and every check says why it failed."""
    try:
        submission = entry.read(homework)
    except SubmissionError as error:
        submission = Submission(entry.name, {}, dict.fromkeys(homework.by_file, str(error)), (str(error),))
    return replace(submission, notes=(entry.note, *submission.notes)) if entry.note else submission


def counting(handed: Sequence[Handed], choice: str) -> list[Handed]:
    """Choose the attempts to grade: one of each student for `latest` and `active`, each for `best` and `all`."""
    if choice not in CHOICES:
        raise ConfigError(f"there is no choice {choice!r} of attempts; the choices are {', '.join(CHOICES)}")
    if choice in ("best", "all"):
        return list(handed)
    chosen = set()
    for attempts in by_student(handed).values():
        active = [attempt for attempt in attempts if attempt.active]
        eligible = active if choice == "active" and active else attempts
        chosen.add(max(eligible, key=lambda attempt: attempt.attempt).name)
    return [attempt for attempt in handed if attempt.name in chosen]


def best(handed: Sequence[Handed], scores: Mapping[str, float | None]) -> set[str]:
    """Find each student's best attempt: of equals the later; a withheld score only if there is no other."""

    def rank(attempt: Handed) -> tuple[bool, float, int]:
        score = scores.get(attempt.name)
        return score is not None, score if score is not None else 0.0, attempt.attempt

    return {max(attempts, key=rank).name for attempts in by_student(handed).values()}


def duplicates(digests: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Group the names that have the same digest; an empty one, of nothing handed in, is like no other."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name, digest in digests.items():
        if digest:
            alike[digest].append(name)
    return [tuple(names) for names in alike.values() if len(names) > 1]


def look(handed: Sequence[Handed], homework: Homework) -> dict[str, list[str]]:
    """Read all attempts, and tell by name what is odd: nothing that can be read, questions missing, the same files."""
    found: dict[str, list[str]] = {attempt.name: [attempt.note] if attempt.note else [] for attempt in handed}
    digests = {}
    for attempt in handed:
        try:
            submission = attempt.read(homework)
        except SubmissionError as error:
            found[attempt.name] = [str(error)] if attempt.note in str(error) else [attempt.note, str(error)]
        else:
            digests[attempt.name] = submission.digest
            found[attempt.name] += [*_in_short(list(submission.problems.values())), *submission.notes]
    for names in duplicates(digests):
        for name in names:
            others = [other for other in names if other != name]
            found[name].append(f"the same files as {', '.join(_in_short(others, 3))}")
    return found


def _in_short(lines: list[str], most: int = 2) -> list[str]:
    return lines if len(lines) <= most else [*lines[: most - 1], f"and {len(lines) - most + 1} more"]


def by_student(handed: Iterable[Handed]) -> dict[tuple[str, str], list[Handed]]:
    """Each student's, or group's, attempts, by platform and identity."""
    students: dict[tuple[str, str], list[Handed]] = defaultdict(list)
    for attempt in handed:
        students[attempt.platform, attempt.identity].append(attempt)
    return students


# -- reading -------------------------------------------------------------------------------------------------


def _open(place: Place, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    loose = {own: _reader(place.root, way) for way, own in place.loose}
    if place.main is None:
        return Folder(loose)
    try:
        main = _open_main(place.root, place.main, homework, stack)
    except SubmissionError as error:
        if not loose:
            raise
        return Folder(loose, notes=[str(error)])
    known = {name.lower() for name in main.readers}
    beside = {own: read for own, read in loose.items() if own.lower() not in known}
    twice = [f"{shown(own)} was left out: the zip beside it has one" for own in loose if own not in beside]
    return Folder({**main.readers, **beside}, main.folders, [*main.notes, *twice])


def _open_main(root: Path, way: str, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    if root.is_dir():
        folder = enter(open_path(root / way, homework, stack))
    else:
        found = find(list_export(root), way)
        zipped = not isinstance(found, Folder)
        folder = enter(_nested(found, way, homework, stack) if zipped else found)  # type: ignore[arg-type]
        if zipped:
            return folder
    if not folder.python and len(folder.zips) == 1:
        [name] = folder.zips
        inner = enter(_nested(folder.readers[name], name, homework, stack))
        folder = replace(inner, notes=[*folder.notes, *inner.notes])
    return folder


def _nested(read: Reader, way: str, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    return list_nested_zip(read, way.rpartition("/")[2], homework.by_file, stack)


def _reader(root: Path, way: str) -> Reader:
    if root.is_dir():
        return partial(read_file, root / way)
    found = find(list_export(root), way)
    return _no_file if isinstance(found, Folder) else found


def _no_file(most: int) -> bytes:
    raise Unreadable("is a folder, where a file should be")
