"""Intake: what a student handed in, as bytes in memory: the question files and the student's helper modules.

A submission is a folder, a zip or one file, or what an export of a platform has of one student. Whatever is odd about
it becomes a problem of a question or a note, so that the rest is graded; only a submission of which nothing can be
read is an error.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import keyword
import os
import re
import stat
import sys
import sysconfig
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from .config import Homework
from .errors import SubmissionError
from .folders import MAX_FILE, SUBMISSION, Folder, Unreadable, enter, list_folder, list_zip, read_file, reason, shown

MAX_TOTAL = 4 << 20  # bytes
MAX_NOTES = 30
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Submission:
    """What was handed in, ready to be graded.

    Attributes:
        name: safe as the name of a folder.
        files: by name, the question files and the student's helper modules; UTF-8 without NUL.
        problems: by question file, in one line, why it cannot be graded: missing, too large, not text.
        notes: what was left out or renamed, and why, one line each.
    """

    name: str
    files: dict[str, bytes]
    problems: dict[str, str]
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The same for the same files, whatever the name; empty if there are none."""
        if not self.files:
            return ""
        whole = hashlib.sha256()
        for file, source in sorted(self.files.items()):
            whole.update(f"{len(file)} {len(source)} {file}".encode() + source)
        return whole.hexdigest()


def submission_json(submission: Submission) -> dict[str, Any]:
    """A submission as plain JSON values, without its name."""
    files = {name: base64.b64encode(content).decode() for name, content in submission.files.items()}
    return {"files": files, "problems": submission.problems, "notes": list(submission.notes)}


def submission_from_json(name: str, data: Mapping[str, Any]) -> Submission:
    """Read back what `submission_json` made."""
    files = {file: base64.b64decode(content) for file, content in data["files"].items()}
    return Submission(name, files, dict(data["problems"]), tuple(data["notes"]))


def read_submission(path: Path, homework: Homework, name: str | None = None) -> Submission:
    """Read a folder, a zip or a single file.

    Raises:
        SubmissionError: there is nothing that could be graded; one line.
    """
    try:
        place = path.resolve(strict=True)  # the person at the keyboard may name a link
    except (OSError, RuntimeError, ValueError) as error:
        raise SubmissionError(f"{shown(str(path))}: {reason(error)}") from error
    with contextlib.ExitStack() as stack:
        folder = enter(open_path(place, homework, stack))
        return choose(folder, homework, name or safe_name(path), str(path))


def open_path(path: Path, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    """List a folder, a zip or a single file, without following a link.

    Raises:
        SubmissionError: it is none of these, or no question has this file; one line.
    """
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError) as error:
        raise SubmissionError(f"{shown(str(path))}: {reason(error)}") from error
    if stat.S_ISDIR(mode):
        return list_folder(path, homework.by_file)
    if path.suffix.lower() != ".py":
        return list_zip(path, homework.by_file, stack)
    if path.name.lower() not in homework.by_file:
        names = ", ".join(homework.by_file)
        raise SubmissionError(f"{shown(path.name)}: no question has this file; the files are {names}")
    return Folder(readers={path.name: partial(read_file, path)})


def choose(folder: Folder, homework: Homework, name: str, source: str) -> Submission:
    """Choose and read the files of a folder, which may lie in a zip that is still open.

    Args:
        folder: where the files are, already entered.
        homework: the homework.
        name: the submission's, safe as the name of a folder.
        source: what to call it where it is an error.

    Raises:
        SubmissionError: there is nothing that could be graded; one line.
    """
    intake = _Intake(homework, folder)
    files, problems, notes = intake.read()
    if not files and not intake.present:
        raise SubmissionError(f"{shown(source)}: no Python file of a student's in it")
    return Submission(name=name, files=files, problems=problems, notes=tuple(notes))


class _Intake:
    """Chooses and reads the files of one folder."""

    def __init__(self, homework: Homework, folder: Folder):
        self.questions = list(homework.by_file)
        self.folder = _bounded(folder, self.questions)
        self.given = _given(homework) - set(self.questions)
        self.notes = list(self.folder.notes)
        self.left = MAX_TOTAL
        self.present: set[str] = set()

    def read(self) -> tuple[dict[str, bytes], dict[str, str], list[str]]:
        files: dict[str, bytes] = {}
        problems: dict[str, str] = {}
        chosen = self._question_files()
        for file in self.questions:
            if file in chosen:
                self.present.add(file)
                try:
                    files[file] = self._read(chosen[file])
                except Unreadable as error:
                    problems[file] = f"{file} {error}"
            else:
                problems[file] = f"{file} is missing"
        for file in self._helpers(set(chosen.values())):
            try:
                files[unicodedata.normalize("NFKC", file)] = self._read(file)
            except Unreadable as error:
                self.notes.append(f"{shown(file)} was left out: it {error}")
        others = sorted(self._others() - self._expected())
        if others:
            first = ", ".join(shown(other) for other in others[:5])
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            self.notes.append(f"not Python files of the homework, and left out: {first}{more}")
        if len(self.notes) > MAX_NOTES:
            self.notes = [*self.notes[:MAX_NOTES], f"and {len(self.notes) - MAX_NOTES} more notes"]
        return files, problems, self.notes

    def _question_files(self) -> dict[str, str]:
        """Which file answers each question: the one of its name, or else the only one but for case."""
        chosen = {}
        for file in self.questions:
            alike = [name for name in self.folder.python if name.lower() == file]
            if file in self.folder.python:
                chosen[file] = file
            elif len(alike) == 1:
                chosen[file] = alike[0]
                self.notes.append(f"{shown(alike[0])} was read as {file}")
        return chosen

    def _helpers(self, taken: set[str]) -> list[str]:
        """The student's own modules, without those whose name means something else."""
        helpers = []
        keys = [_key(name) for name in self.folder.python if name not in taken]
        for name in sorted(set(self.folder.python) - taken - self.given):
            stem = unicodedata.normalize("NFKC", name.removesuffix(".py"))
            if not stem.isidentifier() or keyword.iskeyword(stem) or not name.endswith(".py"):
                self.notes.append(f"{shown(name)} was left out: no module can have this name")
            elif owner := _owner(stem):
                self.notes.append(f"{shown(name)} was left out: its name is taken by {owner}")
            elif _key(name) in self.questions or keys.count(_key(name)) > 1:
                self.notes.append(f"{shown(name)} was left out: another file has almost the same name")
            else:
                helpers.append(name)
        return helpers

    def _others(self) -> set[str]:
        return set(self.folder.readers) - set(self.folder.python) | {f"{name}/" for name in self.folder.folders}

    def _expected(self) -> set[str]:
        """What everybody was given, so that it needs no note."""
        return self.given | {f"{name}/" for name in self.given}

    def _read(self, name: str) -> bytes:
        source = self.folder.readers[name](MAX_FILE).removeprefix(_BOM) if self.left >= 0 else b""
        self.left -= len(source)
        if self.left < 0:
            raise Unreadable(f"is more than a submission may hold, {MAX_TOTAL >> 20} MB in all")
        if source.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Unreadable("is encoded as UTF-16; save it as UTF-8")
        try:
            text = source.decode("utf-8")
        except UnicodeDecodeError as error:
            line = source.count(b"\n", 0, error.start) + 1
            byte = f"byte 0x{source[error.start]:02x} in line {line}"
            raise Unreadable(f"is not UTF-8 ({byte}); save it as UTF-8") from error
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise Unreadable(f"holds a NUL character in line {line}")
        return source


def _bounded(folder: Folder, questions: list[str]) -> Folder:
    """A folder with as many files as a submission may have: an export may have more, and may be of one student."""
    if len(folder.readers) + len(folder.folders) <= SUBMISSION.members:
        return folder
    readers = {name: read for name, read in folder.readers.items() if name.lower() in questions}
    return Folder(readers, {}, [*folder.notes, SUBMISSION.too_many])


def _given(homework: Homework) -> set[str]:
    try:
        return set(os.listdir(homework.path(homework.assignment)))
    except OSError:
        return set()


@cache
def _owner(module: str) -> str | None:
    """Whose module a helper of this name would stand in for."""
    if module in sys.stdlib_module_names:
        return "Python's standard library"
    if module == __package__.partition(".")[0]:
        return "the autograder"
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    found = PathFinder.find_spec(module, installed)
    return "an installed package" if found is not None and found.origin is not None else None


# -- names ---------------------------------------------------------------------------------------------------


def safe_name(path: Path) -> str:
    """A name for results of this submission, fit to be a folder's name on every system."""
    name = path.resolve().name if path.name in ("", "..") else path.name
    return safe(re.sub(r"\.(zip|py)$", "", name, flags=re.IGNORECASE))


def safe(name: str, ending: str = "") -> str:
    """A name fit to be a folder's on every system.

    Args:
        name: any text.
        ending: is kept whole; of a name that is too long, the rest is cut.
    """
    name = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFKC", name))
    ending = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFKC", ending))[-40:]
    name = f"{name[: 60 - len(ending)]}{ending}".strip("._-")
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, flags=re.IGNORECASE)
    return f"_{name}" if reserved else name or "submission"


def unique_name(name: str, taken: set[str]) -> str:
    """A name, or with a number at its end, that is not taken yet, not even with other letters' cases; it is then."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate


def _key(name: str) -> str:
    """What is left of a name on a file system, or in Python, that does not tell all names apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
