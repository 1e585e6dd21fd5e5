"""Intake: what a student handed in, as bytes in memory. Nothing of it is unpacked, or ever a path of ours.

A submission is a folder, a zip or one file, and may be hostile: every file is opened without following links
and without waiting, and what is read is bounded. Whatever is odd about it becomes a problem of a question or
a note, so that the rest is graded; only a submission of which nothing can be read is an error.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import itertools
import keyword
import os
import re
import stat
import struct
import sys
import sysconfig
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.machinery import PathFinder
from pathlib import Path
from typing import IO, Any

from .config import Homework
from .errors import ConfigError, SubmissionError

MAX_FILE = 512 << 10  # bytes
MAX_TOTAL = 4 << 20  # bytes
NOT_THE_STUDENTS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)
MAX_MEMBERS = 2_000  # files and folders looked at, in all
MAX_DIRECTORY = 4 << 20  # bytes of a zip's table of contents
MAX_DEPTH = 20  # folders in folders
MAX_NOTES = 30
_TOO_MANY = f"more than {MAX_MEMBERS} files: only those of the questions were read"
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


def submission_json(submission: Submission) -> dict[str, Any]:
    """A submission as plain JSON values, without its name."""
    files = {name: base64.b64encode(content).decode() for name, content in submission.files.items()}
    return {"files": files, "problems": submission.problems, "notes": list(submission.notes)}


def submission_from_json(name: str, data: Mapping[str, Any]) -> Submission:
    """Read back what `submission_json` made."""
    files = {file: base64.b64decode(content) for file, content in data["files"].items()}
    return Submission(name, files, dict(data["problems"]), tuple(data["notes"]))


class _Unreadable(Exception):
    """A file is there but cannot be used; the message follows its name."""


@dataclass
class _Folder:
    """One level of what was handed in: how to read each file, which may raise _Unreadable, and folder."""

    files: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    folders: dict[str, Callable[[], _Folder]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)  # left out: not Python, or not looked at
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, read: Callable[[], bytes]) -> None:
        if name.lower().endswith(".py"):
            self.files[name] = read
        else:
            self.others.append(name)


def read_submission(path: Path, homework: Homework, name: str | None = None) -> Submission:
    """Read a folder, a zip or a single file.

    Raises:
        SubmissionError: there is nothing that could be graded; one line.
    """
    with contextlib.ExitStack() as stack:
        intake = _Intake(homework, _enter(_open(path, homework, stack)))
        files, problems, notes = intake.read()
    if not files and not intake.present:
        raise SubmissionError(f"{_shown(str(path))}: no Python file of a student's in it")
    return Submission(name=name or _safe_name(path), files=files, problems=problems, notes=tuple(notes))


def _open(path: Path, homework: Homework, stack: contextlib.ExitStack) -> _Folder:
    try:
        path = path.resolve(strict=True)  # the person at the keyboard may name a link
        mode = path.stat().st_mode
    except (OSError, RuntimeError, ValueError) as error:
        raise SubmissionError(f"{_shown(str(path))}: {_reason(error)}") from error
    if stat.S_ISDIR(mode):
        return _list_folder(path, homework.by_file)
    if path.suffix.lower() != ".py":
        return _list_zip(path, homework.by_file, stack)
    if path.name.lower() not in homework.by_file:
        names = ", ".join(homework.by_file)
        raise SubmissionError(f"{_shown(path.name)}: no question has this file; the files are {names}")
    return _Folder(files={path.name: partial(_read_file, path)})


def _enter(folder: _Folder) -> _Folder:
    """Go down to what lies in a folder in a folder, as in zips that people make of folders."""
    for _ in range(MAX_DEPTH):
        if folder.files or len(folder.folders) != 1:
            break
        notes = folder.notes
        folder = next(iter(folder.folders.values()))()
        folder.notes[:0] = notes
    return folder


class _Intake:
    """Chooses and reads the files of one folder."""

    def __init__(self, homework: Homework, folder: _Folder):
        self.folder = folder
        self.questions = list(homework.by_file)
        self.given = _given(homework) - set(self.questions)
        self.notes = list(folder.notes)
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
                except _Unreadable as error:
                    problems[file] = f"{file} {error}"
            else:
                problems[file] = f"{file} is missing"
        for file in self._helpers(set(chosen.values())):
            try:
                files[unicodedata.normalize("NFKC", file)] = self._read(file)
            except _Unreadable as error:
                self.notes.append(f"{_shown(file)} was left out: it {error}")
        others = sorted({*self.folder.others, *(f"{name}/" for name in self.folder.folders)} - self._expected())
        if others:
            shown = ", ".join(_shown(other) for other in others[:5])
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            self.notes.append(f"not Python files of the homework, and left out: {shown}{more}")
        if len(self.notes) > MAX_NOTES:
            self.notes = [*self.notes[:MAX_NOTES], f"and {len(self.notes) - MAX_NOTES} more notes"]
        return files, problems, self.notes

    def _question_files(self) -> dict[str, str]:
        """Which file answers each question: the one of its name, or else the only one but for case."""
        chosen = {}
        for file in self.questions:
            alike = [name for name in self.folder.files if name.lower() == file]
            if file in self.folder.files:
                chosen[file] = file
            elif len(alike) == 1:
                chosen[file] = alike[0]
                self.notes.append(f"{_shown(alike[0])} was read as {file}")
        return chosen

    def _helpers(self, taken: set[str]) -> list[str]:
        """The student's own modules, without those whose name means something else."""
        helpers = []
        keys = [_key(name) for name in self.folder.files if name not in taken]
        for name in sorted(set(self.folder.files) - taken - self.given):
            stem = unicodedata.normalize("NFKC", name.removesuffix(".py"))
            if not stem.isidentifier() or keyword.iskeyword(stem) or not name.endswith(".py"):
                self.notes.append(f"{_shown(name)} was left out: no module can have this name")
            elif owner := _owner(stem):
                self.notes.append(f"{_shown(name)} was left out: its name is taken by {owner}")
            elif _key(name) in self.questions or keys.count(_key(name)) > 1:
                self.notes.append(f"{_shown(name)} was left out: another file has almost the same name")
            else:
                helpers.append(name)
        return helpers

    def _expected(self) -> set[str]:
        """What everybody was given, so that it needs no note."""
        return self.given | {f"{name}/" for name in self.given}

    def _read(self, name: str) -> bytes:
        source = self.folder.files[name]().removeprefix(_BOM) if self.left >= 0 else b""
        self.left -= len(source)
        if self.left < 0:
            raise _Unreadable(f"is more than a submission may hold, {MAX_TOTAL >> 20} MB in all")
        if source.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise _Unreadable("is encoded as UTF-16; save it as UTF-8")
        try:
            text = source.decode("utf-8")
        except UnicodeDecodeError as error:
            line = source.count(b"\n", 0, error.start) + 1
            byte = f"byte 0x{source[error.start]:02x} in line {line}"
            raise _Unreadable(f"is not UTF-8 ({byte}); save it as UTF-8") from error
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise _Unreadable(f"holds a NUL character in line {line}")
        return source


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


# -- folders -------------------------------------------------------------------------------------------------


def _list_folder(path: Path, questions: Collection[str]) -> _Folder:
    folder = _Folder()
    found: list[os.DirEntry[str]] = []
    members = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                members += not _is_junk(entry.name)
                if not _is_junk(entry.name) and (members <= MAX_MEMBERS or entry.name.lower() in questions):
                    found.append(entry)
    except OSError as error:
        folder.notes.append(f"{_shown(path.name)}/ was left out: {_reason(error)}")
    if members > MAX_MEMBERS:
        folder.notes.append(_TOO_MANY)
        found = [entry for entry in found if entry.name.lower() in questions]
    for entry in found:
        inner = path / entry.name
        if entry.is_dir(follow_symlinks=False) and entry.name.lower() not in questions:
            folder.folders[entry.name] = partial(_list_folder, inner, questions)
        else:
            folder.add(entry.name, partial(_read_file, inner))
    return folder


@contextlib.contextmanager
def _open_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file. A link, a pipe or a device is not followed, waited for or woken up."""
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
    try:
        _expect_regular(os.lstat(path).st_mode)
        with os.fdopen(os.open(path, os.O_RDONLY | flags), "rb") as file:
            _expect_regular(os.fstat(file.fileno()).st_mode)
            yield file
    except OSError as error:
        if error.errno in NOT_THE_STUDENTS:
            raise ConfigError(f"{path} cannot be read on this machine: {_reason(error)}") from error
        raise _Unreadable(f"cannot be read: {_reason(error)}") from error


def _read_file(path: Path) -> bytes:
    with _open_file(path) as file:
        return _bounded(file)


def _expect_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
        raise _Unreadable(f"is {kinds.get(stat.S_IFMT(mode), 'not a file')}, where a file should be")


def _bounded(file: IO[bytes]) -> bytes:
    source = file.read(MAX_FILE + 1)
    if len(source) > MAX_FILE:
        raise _Unreadable(f"is larger than {MAX_FILE >> 10} KB")
    return source


# -- zips ----------------------------------------------------------------------------------------------------


def _list_zip(path: Path, questions: Collection[str], stack: contextlib.ExitStack) -> _Folder:
    """The members of a zip, as folders; the zip stays open for as long as the stack does."""
    try:
        file = stack.enter_context(_open_file(path))
        _expect_small_directory(file)
        archive = stack.enter_context(zipfile.ZipFile(file))
    except ConfigError:
        raise
    except _Unreadable as error:
        raise SubmissionError(f"{_shown(path.name)} {error}") from error
    except Exception as error:  # zipfile raises a dozen types for a broken file
        raise SubmissionError(f"{_shown(path.name)}: not a zip that can be read, a folder or a .py file") from error
    root = _Folder()
    folders: dict[tuple[str, ...], _Folder] = {(): root}
    members = [(member, parts) for member in archive.infolist() if (parts := _parts(member, root))]
    if len(members) > MAX_MEMBERS:
        root.notes.append(_TOO_MANY)
        members = [(member, parts) for member, parts in members if parts[-1].lower() in questions]
    for member, (*above, name) in members:
        for depth in range(len(above)):
            _inner(folders, tuple(above[: depth + 1]))
        if member.is_dir() and name.lower() not in questions:
            _inner(folders, (*above, name))
        else:
            folder = folders[tuple(above)]
            folder.add(name, _twice if name in folder.files else partial(_read_member, archive, member))
    return root


def _expect_small_directory(file: IO[bytes]) -> None:
    """Look before `zipfile` does: it reads all of the table of contents at once, however large that is."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 64))
    tail = file.read()
    for end in re.finditer(b"PK\x05\x06", tail):
        fields = tail[end.start() + 12 : end.start() + 16]
        large = len(fields) == 4 and struct.unpack("<L", fields)[0] > MAX_DIRECTORY
        if large or tail[max(0, end.start() - 20) : end.start()].startswith(b"PK\x06\x07"):  # the latter: ZIP64
            raise _Unreadable("holds far more files than a submission may")
    file.seek(0)


def _parts(member: zipfile.ZipInfo, root: _Folder) -> tuple[str, ...]:
    """Where a member lies, or nothing for one that is left out."""
    name = member.filename.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts:
        root.notes.append(f"{_shown(name)} was left out: its name leads out of the zip")
    elif len(parts) > MAX_DEPTH:
        root.notes.append(f"{_shown(name)} was left out: it is more than {MAX_DEPTH} folders deep")
    elif not any(_is_junk(part) for part in parts):
        return parts
    return ()


def _inner(folders: dict[tuple[str, ...], _Folder], place: tuple[str, ...]) -> None:
    if place not in folders:
        inner = folders[place] = _Folder()
        folders[place[:-1]].folders[place[-1]] = lambda: inner


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack one member in memory: as much of it as a file may have, whatever the zip says of its size."""
    mode = member.external_attr >> 16
    if member.is_dir() or stat.S_IFMT(mode):
        _expect_regular(stat.S_IFDIR if member.is_dir() else mode)
    if member.flag_bits & 1:
        raise _Unreadable("is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Unreadable("is compressed in a way that is not read here")  # others unpack without a bound
    try:
        with archive.open(member) as file:
            return _bounded(file)
    except _Unreadable:
        raise
    except Exception as error:  # zipfile raises a dozen types for a broken file
        raise _Unreadable("cannot be read: the zip is broken there") from error


def _twice() -> bytes:
    raise _Unreadable("is in the zip twice")


# -- the command line ----------------------------------------------------------------------------------------


def expand(paths: Iterable[Path], homework: Homework) -> list[tuple[str, Path]]:
    """Find the submissions that a command's arguments stand for, each with a name of its own.

    An argument is a submission, or a folder of submissions: one without a question file, that holds zips or
    folders of which at least one looks like a submission. Then all its zips and folders are submissions, so
    that nobody who handed in something odd is forgotten.
    """
    found = [(_safe_name(inner), inner) for path in paths for inner in _submissions_in(path, homework) or [path]]
    taken = {"gradebook.sqlite"}  # lies beside the submissions' folders
    unique = []
    for name, path in found:
        candidate = name
        for number in itertools.count(2):
            if candidate.casefold() not in taken:
                break
            candidate = f"{name}-{number}"
        taken.add(candidate.casefold())
        unique.append((candidate, path))
    return unique


def _submissions_in(path: Path, homework: Homework) -> list[Path]:
    if not os.path.isdir(path) or _is_submission(path, homework):
        return []
    try:
        children = sorted(path.iterdir())
    except OSError:
        return []
    inner = [child for child in children if not _is_junk(child.name) and not child.is_symlink()]
    folders = [child for child in inner if child.is_dir()]
    zips = [child for child in inner if child.is_file() and child.suffix.lower() == ".zip"]
    if not zips and not any(_is_submission(child, homework) for child in folders):
        return []
    return sorted([*folders, *zips])


def _is_submission(path: Path, homework: Homework) -> bool:
    """Whether a folder holds a question file, perhaps as the only folder in a folder."""
    return any(name.lower() in homework.by_file for name in _enter(_list_folder(path, homework.by_file)).files)


# -- names ---------------------------------------------------------------------------------------------------


def _safe_name(path: Path) -> str:
    """A name for results of this submission, fit to be a folder's name on every system."""
    name = path.resolve().name if path.name in ("", "..") else path.name
    name = re.sub(r"\.(zip|py)$", "", name, flags=re.IGNORECASE)
    name = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFKC", name))[:60].strip("._-")
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, flags=re.IGNORECASE)
    return f"_{name}" if reserved else name or "submission"


def _is_junk(name: str) -> bool:
    """Whether a name is one that systems and tools make: .git, .venv, __MACOSX, __pycache__."""
    return name.startswith((".", "__")) or name == "venv"


def _key(name: str) -> str:
    """What is left of a name on a file system, or in Python, that does not tell all names apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _shown(name: str) -> str:
    """A name that is safe to print."""
    name = name if len(name) <= 80 else f"{name[:77]}..."
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
