"""Folders and zips as one thing: names, and how to read each file. Nothing is unpacked, or ever a path of ours.

What lies in them may be hostile: files are opened without following links and without waiting, and whatever is read
is bounded, whatever a zip says of itself.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from .errors import ConfigError, SubmissionError

MAX_FILE = 512 << 10  # bytes of one Python file
MAX_NESTED = 32 << 20  # bytes of a zip that lies in another, which is held in memory
MAX_DEPTH = 20  # folders in folders
NOT_THE_STUDENTS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)
_NAMES_ARE_UTF_8 = 0x800  # a flag of a zip's member
_SHARED = 4  # exports that stay open at a time, one file descriptor each

Reader = Callable[[int], bytes]  # a file's content, which may be of so many bytes; may raise Unreadable


@dataclass(frozen=True)
class Bounds:
    """How much is looked at.

    Attributes:
        members: files and folders, in all of a zip or in one folder.
        directory: bytes of a zip's table of contents.
    """

    members: int
    directory: int

    @property
    def too_many(self) -> str:
        """The note where there is more."""
        return f"more than {self.members} files: only those of the questions were read"


SUBMISSION = Bounds(members=2_000, directory=4 << 20)
EXPORT = Bounds(members=100_000, directory=32 << 20)  # of a whole class


class Unreadable(Exception):
    """A file is there but cannot be used; the message follows its name."""


@dataclass
class Folder:
    """One level of what was handed in: how to read each file, and how to list each folder."""

    readers: dict[str, Reader] = field(default_factory=dict)
    folders: dict[str, Callable[[], Folder]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def python(self) -> list[str]:
        """The names of the Python files."""
        return [name for name in self.readers if name.lower().endswith(".py")]

    @property
    def zips(self) -> list[str]:
        """The names of the zips."""
        return [name for name in self.readers if name.lower().endswith(".zip")]


def enter(folder: Folder) -> Folder:
    """Go down to what lies in a folder in a folder, as in zips that people make of folders."""
    notes: list[str] = []
    for _ in range(MAX_DEPTH):
        if folder.python or len(folder.folders) != 1:
            break
        notes += folder.notes
        folder = next(iter(folder.folders.values()))()
    return Folder(folder.readers, folder.folders, [*notes, *folder.notes])


def find(folder: Folder, way: str) -> Folder | Reader:
    """What lies in a folder at the end of a way down, its steps separated by `/`.

    Raises:
        SubmissionError: nothing does.
    """
    *above, last = way.split("/")
    try:
        for step in above:
            folder = folder.folders[step]()
        return folder.folders[last]() if last in folder.folders else folder.readers[last]
    except KeyError as error:
        raise SubmissionError(f"{shown(way)} is missing") from error


# -- folders -------------------------------------------------------------------------------------------------


def list_folder(path: Path, questions: Collection[str], bounds: Bounds = SUBMISSION) -> Folder:
    """List a folder; of one with too many entries only the files of these names."""
    folder = Folder()
    found: list[os.DirEntry[str]] = []
    members = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                members += not is_junk(entry.name)
                if not is_junk(entry.name) and (members <= bounds.members or entry.name.lower() in questions):
                    found.append(entry)
    except OSError as error:
        folder.notes.append(f"{shown(path.name)}/ was left out: {reason(error)}")
    if members > bounds.members:
        folder.notes.append(bounds.too_many)
        found = [entry for entry in found if entry.name.lower() in questions]
    for entry in found:
        inner = path / entry.name
        if entry.is_dir(follow_symlinks=False) and entry.name.lower() not in questions:
            folder.folders[entry.name] = partial(list_folder, inner, questions)
        else:
            folder.readers[entry.name] = partial(read_file, inner)
    return folder


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file. A link, a pipe or a device is not followed, waited for or woken up.

    Raises:
        Unreadable: it cannot be opened.
        ConfigError: because of this machine.
    """
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
    try:
        _expect_regular(os.lstat(path).st_mode)
        with os.fdopen(os.open(path, os.O_RDONLY | flags), "rb") as file:
            _expect_regular(os.fstat(file.fileno()).st_mode)
            yield file
    except OSError as error:
        _expect_fit_machine(error, path)
        raise Unreadable(f"cannot be read: {reason(error)}") from error


def read_file(path: Path, most: int) -> bytes:
    """Read a regular file of at most so many bytes."""
    with open_file(path) as file:
        return _bounded(file, most)


def _expect_fit_machine(error: Exception, path: Path | str) -> None:
    if isinstance(error, OSError) and error.errno in NOT_THE_STUDENTS:
        raise ConfigError(f"{path} cannot be read on this machine: {reason(error)}") from error


def _expect_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
        raise Unreadable(f"is {kinds.get(stat.S_IFMT(mode), 'not a file')}, where a file should be")


def _bounded(file: IO[bytes], most: int) -> bytes:
    content = file.read(most + 1)
    if len(content) > most:
        raise Unreadable(f"is larger than {f'{most >> 20} MB' if most >= 1 << 20 else f'{most >> 10} KB'}")
    return content


# -- zips ----------------------------------------------------------------------------------------------------


def list_zip(path: Path, questions: Collection[str], stack: contextlib.ExitStack) -> Folder:
    """List a zip, as folders; it stays open for as long as the stack does.

    Raises:
        SubmissionError: it is no zip that can be read.
    """
    try:
        return _list(stack.enter_context(open_file(path)), path.name, questions, SUBMISSION, stack)
    except Unreadable as error:
        raise SubmissionError(f"{shown(path.name)} {error}") from error


def list_nested_zip(read: Reader, name: str, questions: Collection[str], stack: contextlib.ExitStack) -> Folder:
    """List a zip that lies in another one; its content is in memory for as long as the stack is open.

    Raises:
        SubmissionError: it is no zip that can be read.
    """
    try:
        return _list(io.BytesIO(read(MAX_NESTED)), name, questions, SUBMISSION, stack)
    except Unreadable as error:
        raise SubmissionError(f"{shown(name)} {error}") from error


def list_export(path: Path) -> Folder:
    """List the zip of a whole class. A few stay open and listed, as each submission in it is read by itself.

    Raises:
        SubmissionError: it is no zip that can be read.
    """
    try:
        found = path.stat()
        _expect_regular(found.st_mode)
        return _list_export(path, found.st_mtime_ns, found.st_size)
    except Unreadable as error:
        raise SubmissionError(f"{shown(path.name)} {error}") from error
    except OSError as error:
        _expect_fit_machine(error, path)
        raise SubmissionError(f"{shown(path.name)}: {reason(error)}") from error


@functools.lru_cache(maxsize=_SHARED)
def _list_export(path: Path, changed: int, size: int) -> Folder:
    with open(path, "rb") as file:
        _expect_small_directory(file, EXPORT)
    # opened by its name, so that it is closed when it is forgotten here and nobody reads it any more
    return _list(path, path.name, (), EXPORT, contextlib.ExitStack())


def _list(
    file: IO[bytes] | Path, name: str, questions: Collection[str], bounds: Bounds, stack: contextlib.ExitStack
) -> Folder:
    try:
        if not isinstance(file, Path):
            _expect_small_directory(file, bounds)
        archive = zipfile.ZipFile(file)
    except Unreadable:
        raise
    except Exception as error:  # zipfile raises a dozen types for a broken file
        _expect_fit_machine(error, name)
        raise SubmissionError(f"{shown(name)}: not a zip that can be read, a folder or a .py file") from error
    if not isinstance(file, Path):
        stack.enter_context(archive)
    return _tree(archive, questions, bounds)


def _tree(archive: zipfile.ZipFile, questions: Collection[str], bounds: Bounds) -> Folder:
    root = Folder()
    folders: dict[tuple[str, ...], Folder] = {(): root}
    members = [(member, parts) for member in archive.infolist() if (parts := _parts(member, root))]
    if len(members) > bounds.members:
        root.notes.append(bounds.too_many)
        members = [(member, parts) for member, parts in members if parts[-1].lower() in questions]
    for member, (*above, name) in members:
        for depth in range(len(above)):
            _inner(folders, tuple(above[: depth + 1]))
        if member.is_dir() and name.lower() not in questions:
            _inner(folders, (*above, name))
        else:
            readers = folders[tuple(above)].readers
            readers[name] = _twice if name in readers else partial(_read_member, archive, member)
    return root


def _expect_small_directory(file: IO[bytes], bounds: Bounds) -> None:
    """Look before `zipfile` does: it reads all of the table of contents at once, however large that is."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 128))
    tail = file.read()
    file.seek(0)
    for end in re.finditer(b"PK\x05\x06", tail):
        if tail[max(0, end.start() - 20) : end.start()].startswith(b"PK\x06\x07"):  # ZIP64
            large = bounds is SUBMISSION or _size_in(tail, b"PK\x06\x06", 40, "<Q") > bounds.directory
        else:
            large = _size_in(tail[end.start() :], b"PK\x05\x06", 12, "<L") > bounds.directory
        if large:
            raise Unreadable(f"holds far more files than {'a submission' if bounds is SUBMISSION else 'a class'} may")


def _size_in(tail: bytes, signature: bytes, offset: int, form: str) -> int:
    """The largest number of this form after a signature."""
    found = [
        struct.unpack_from(form, tail, start.start() + offset)[0]
        for start in re.finditer(re.escape(signature), tail)
        if start.start() + offset + struct.calcsize(form) <= len(tail)
    ]
    return max(found, default=0)


def _parts(member: zipfile.ZipInfo, root: Folder) -> tuple[str, ...]:
    """Where a member lies, or nothing for one that is left out."""
    name = _name(member).replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts:
        root.notes.append(f"{shown(name)} was left out: its name leads out of the zip")
    elif len(parts) > MAX_DEPTH:
        root.notes.append(f"{shown(name)} was left out: it is more than {MAX_DEPTH} folders deep")
    elif not any(is_junk(part) for part in parts):
        return parts
    return ()


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name. macOS and some platforms write UTF-8 without saying so, which `zipfile` reads as cp437."""
    if not member.flag_bits & _NAMES_ARE_UTF_8:
        with contextlib.suppress(UnicodeError):
            return member.filename.encode("cp437").decode("utf-8")
    return member.filename


def _inner(folders: dict[tuple[str, ...], Folder], place: tuple[str, ...]) -> None:
    if place not in folders:
        inner = folders[place] = Folder()
        folders[place[:-1]].folders[place[-1]] = lambda: inner


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """Unpack one member in memory: as much of it as a file may have, whatever the zip says of its size."""
    mode = member.external_attr >> 16
    if member.is_dir() or stat.S_IFMT(mode):
        _expect_regular(stat.S_IFDIR if member.is_dir() else mode)
    if member.flag_bits & 1:
        raise Unreadable("is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("is compressed in a way that is not read here")  # others unpack without a bound
    try:
        with archive.open(member) as file:
            return _bounded(file, most)
    except Unreadable:
        raise
    except Exception as error:  # zipfile raises a dozen types for a broken file
        raise Unreadable("cannot be read: the zip is broken there") from error


def _twice(most: int) -> bytes:
    raise Unreadable("is in the zip twice")


# -- names ---------------------------------------------------------------------------------------------------


def is_junk(name: str) -> bool:
    """Whether a name is one that systems and tools make: .git, .venv, __MACOSX, __pycache__."""
    return name.startswith((".", "__")) or name == "venv"


def natural(name: str) -> list[tuple[int, str]]:
    """Sorts names: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def shown(name: str) -> str:
    """A name that is safe to print."""
    name = name if len(name) <= 80 else f"{name[:77]}..."
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def reason(error: Exception) -> str:
    """Why something could not be done, in a few words."""
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
