"""Intake of a whole class: the paths of a command, exports of platforms or folders of submissions, as attempts."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from .attempts import Handed, Place, by_student, single
from .config import Homework
from .errors import ConfigError
from .exports import exported
from .folders import enter, is_junk, list_folder, natural, shown
from .submissions import safe, safe_name, unique_name

_TAKEN = "gradebook.sqlite"  # lies beside the folders of results
_PACKED = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".ipynb")  # only the first can be read


def handed_in(paths: Sequence[Path], homework: Homework) -> list[Handed]:
    """Find what a command's arguments stand for.

    An argument is a submission, an export of Gradescope, Canvas or Moodle, as a zip or unpacked, or a class: a folder
    without a question file that holds zips, folders of which at least one looks like a submission, or files that are
    called by a student and a question, such as `ada_linear.py`. Then all its zips, folders and Python files are
    submissions, so that nobody who handed in something odd is forgotten; a folder that holds several is a student
    with several attempts, and the files of one student are one submission.

    Raises:
        ConfigError: an export's own description cannot be read.
    """
    taken = {_TAKEN}
    found: list[Handed] = []
    for path in paths:
        try:
            found += exported(path, homework, taken) or _plain(path, homework, taken)
        except ConfigError as error:
            if len(paths) == 1:
                raise
            # among others it may be one student's, who cannot be allowed to stop the class
            name = unique_name(safe_name(path), taken)
            found.append(replace(single(name, path), note=str(error)))
    return _numbered(found)


def _numbered(handed: Iterable[Handed]) -> list[Handed]:
    """Number each student's attempts, in order of time where every time is known; the last is the active one."""
    handed = list(handed)
    numbered = {}
    for attempts in by_student(handed).values():
        if all(attempt.submitted for attempt in attempts):
            attempts = sorted(attempts, key=lambda attempt: datetime.fromisoformat(attempt.submitted))
        number = 0
        for attempt in attempts:
            number = max(number + 1, attempt.attempt)
            numbered[attempt.name] = replace(attempt, attempt=number, active=attempt is attempts[-1])
    return [numbered[attempt.name] for attempt in handed]


# -- folders of submissions --------------------------------------------------------------------------------------------


@dataclass
class _Inside:
    """What lies in a folder that may be a class, or a student's.

    Attributes:
        folders: without those that systems and tools make.
        packed: zips, and what else people pack their files into.
        loose: by student in lower case, the Python files that are called by a student and a question, with both names.
        others: the other Python files.
        links: whatever they lead to.
    """

    folders: list[Path] = field(default_factory=list)
    packed: list[Path] = field(default_factory=list)
    loose: dict[str, list[tuple[Path, str, str]]] = field(default_factory=lambda: defaultdict(list))
    others: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)

    @property
    def zips(self) -> list[Path]:
        """What is packed so that it can be read."""
        return [path for path in self.packed if path.suffix.lower() == ".zip"]


def _inside(path: Path, homework: Homework) -> _Inside:
    found = _Inside()
    try:
        children = sorted(path.iterdir())
    except OSError:
        return found
    for child in children:
        ending = child.suffix.lower()
        if is_junk(child.name):
            continue
        if child.is_symlink():
            found.links.append(child)
        elif child.is_dir():
            found.folders.append(child)
        elif child.is_file() and ending in _PACKED:
            found.packed.append(child)
        elif child.is_file() and ending == ".py":
            student, file = _of_whom(child.name, homework)
            if student:
                found.loose[student.casefold()].append((child, student, file))
            else:
                found.others.append(child)
    return found


def _of_whom(name: str, homework: Homework) -> tuple[str, str]:
    """Whose file it is, and the question file that it is, where its name ends with that: `ada_linear.py`."""
    for file in sorted(homework.by_file, key=len, reverse=True):
        if match := re.fullmatch(rf"(?P<who>.*[^ _.-])[ _.-]+{re.escape(file)}", name, re.IGNORECASE | re.DOTALL):
            return ("", "") if match["who"].lower() == "test" else (match["who"], file)
    return "", ""


def _plain(path: Path, homework: Homework, taken: set[str]) -> list[Handed]:
    inside = _class_in(path, homework)
    if inside is None:
        return [replace(single(unique_name(safe_name(path), taken), path), student=_called(path))]
    children = [*inside.folders, *inside.packed, *inside.others, *inside.links]
    found: list[tuple[str, list[Handed]]] = []
    for child in sorted(children):
        name = unique_name(safe_name(child), taken)
        attempts = [_link(name, child)] if child in inside.links else _of_student(name, child, homework, taken)
        found.append((child.name, attempts))
    for files in inside.loose.values():
        found.append((files[0][1], [_loose(path, files, taken)]))
    return [attempt for _, attempts in sorted(found, key=lambda pair: pair[0]) for attempt in attempts]


def _class_in(path: Path, homework: Homework) -> _Inside | None:
    """What lies in a folder that is a class; None if it is none."""
    if not os.path.isdir(path) or _is_submission(path, homework):
        return None
    inside = _inside(path, homework)
    known = inside.zips or inside.loose
    if known or any(_is_submission(one, homework) or _attempts_in(one, homework)[0] for one in inside.folders):
        return inside
    return None


def _of_student(name: str, place: Path, homework: Homework, taken: set[str]) -> list[Handed]:
    """The attempts of a student: what lies at a place, or each of what lies in it."""
    attempts, others = _attempts_in(place, homework)
    note = f"no question files in {', '.join(shown(other.name) for other in others)}" if others else ""
    own = replace(single(name, place), student=_called(place), note=note)
    if len(attempts) <= 1:
        where = attempts[0] if attempts else place
        return [replace(own, source=str(where), place=Place(where))]
    return [
        replace(
            own,
            name=unique_name(f"{name}_{safe_name(attempt)}", taken),
            attempt=number,
            source=str(attempt),
            place=Place(attempt),
        )
        for number, attempt in enumerate(attempts, 1)
    ]


def _attempts_in(path: Path, homework: Homework) -> tuple[list[Path], list[Path]]:
    """The zips and submissions in a student's folder, and its other folders; nothing if it is itself a submission."""
    if not path.is_dir() or _is_submission(path, homework):
        return [], []
    inside = _inside(path, homework)
    submissions = [folder for folder in inside.folders if _is_submission(folder, homework)]
    attempts = sorted([*submissions, *inside.zips], key=lambda place: natural(place.name))
    return attempts, [folder for folder in inside.folders if folder not in submissions] if attempts else []


def _loose(path: Path, files: Sequence[tuple[Path, str, str]], taken: set[str]) -> Handed:
    """The submission that a student's single files are."""
    student = files[0][1]
    name = unique_name(safe(student), taken)
    own: dict[str, str] = {}
    notes = []
    for child, _, file in files:
        if file in own:
            notes.append(f"{shown(child.name)} was left out: {shown(own[file])} is {file} already")
        else:
            own[file] = child.name
    more = f" and {len(own) - 1} more" if len(own) > 1 else ""
    place = Place(path, None, tuple((child, file) for file, child in own.items()))
    source = f"{path / next(iter(own.values()))}{more}"
    return Handed(name, student, name, source=source, note="; ".join(notes), place=place)


def _link(name: str, path: Path) -> Handed:
    """A link, which may lead anywhere, and so is not followed."""
    note = "it is a link, which is not followed: name what it leads to"
    return replace(single(name, path), student=_called(path), note=note, place=Place(path, None))


def _called(path: Path) -> str:
    """A student as the name of a folder or a file has them."""
    return safe_name(path) if path.name in ("", "..") else re.sub(r"\.(zip|py)$", "", path.name, flags=re.IGNORECASE)


def _is_submission(path: Path, homework: Homework) -> bool:
    """Whether a folder holds a question file, perhaps as the only folder in a folder."""
    return any(name.lower() in homework.by_file for name in enter(list_folder(path, homework.by_file)).python)
