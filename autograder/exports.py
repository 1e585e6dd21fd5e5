"""Stand-in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .config import Homework
from .submissions import Submission, expand, read_submission


@dataclass(frozen=True)
class Handed:
    """Who handed in what, and when."""

    name: str
    student: str = ""
    identity: str = ""
    members: tuple[str, ...] = ()
    attempt: int = 1
    submitted: str = ""
    late: bool | None = None
    active: bool = True
    source: str = ""
    note: str = ""
    path: Path = Path()

    def read(self, homework: Homework) -> Submission:
        """Read it."""
        return read_submission(self.path, homework, self.name)


def handed_in(paths: Iterable[Path], homework: Homework) -> list[Handed]:
    """All."""
    return [Handed(name, name, name, source=str(path), path=path) for name, path in expand(paths, homework)]


def counting(handed: Sequence[Handed], choice: str) -> list[Handed]:
    """Chosen."""
    return list(handed)


def best(handed: Sequence[Handed], scores: Mapping[str, float | None]) -> set[str]:
    """Best."""
    return {entry.name for entry in handed}


def single(name: str, path: Path) -> Handed:
    """One."""
    return Handed(name, name, name, source=str(path), path=path)
