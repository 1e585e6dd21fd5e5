"""What several test modules share: the homework, workers to talk to, and submissions to grade."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder import sandbox
from autograder.config import Homework, Limits, load_homework
from autograder.subject import RemoteSubject, Session

ROOT = Path(__file__).parents[1]
QUICK = Limits(cpu_seconds=5, wall_seconds=20, memory_mb=1024)


@pytest.fixture(scope="session")
def homework() -> Homework:
    """The homework that ships."""
    return load_homework(ROOT)


@pytest.fixture(scope="session")
def zygote() -> Iterator[sandbox.Launcher]:
    """One zygote for the whole test session."""
    launcher = sandbox.launcher("process")
    yield launcher
    launcher.close()


@pytest.fixture(scope="session")
def sandboxed() -> Iterator[sandbox.Launcher]:
    """One zygote whose workers are behind every layer that this machine has."""
    launcher = sandbox.launcher("sandbox")
    yield launcher
    launcher.close()


Begin = Callable[..., tuple[Any, Any]]


@contextlib.contextmanager
def beginning(usual: sandbox.Launcher) -> Iterator[Begin]:
    """A function that starts a worker on some student code; it returns the student's module and the worker."""
    workers = []

    def begin(source: str, launcher: sandbox.Launcher = usual, **limits: float) -> tuple[Any, Any]:
        worker = launcher.take(Limits(**{"cpu_seconds": 10, "wall_seconds": 60, "memory_mb": 512, **limits}))  # type: ignore[arg-type]
        workers.append(worker)
        session = Session(worker)
        session.call("load", {"student": {"file": "student.py", "source": source, "support": None, "names": []}})
        return session.call("module", "student"), worker

    yield begin
    for worker in workers:
        worker.close()


@pytest.fixture(params=sandbox.MODES)
def launcher(request: pytest.FixtureRequest) -> sandbox.Launcher:
    """Each isolation mode in turn."""
    fixtures = {"process": "zygote", "sandbox": "sandboxed"}
    if request.param in fixtures:
        return request.getfixturevalue(fixtures[request.param])
    return sandbox.launcher(request.param)


Start = Callable[..., RemoteSubject]


@pytest.fixture
def start(launcher: sandbox.Launcher, tmp_path: Path) -> Iterator[Start]:
    """Start a worker on some student code and return its `hw`; every top-level name of the code can be asked for."""
    workers = []

    def start(source: str, limits: Limits = QUICK, **modules: str) -> RemoteSubject:
        worker = launcher.take(limits)
        workers.append(worker)
        session = Session(worker)
        texts = {"student": source, **modules}
        entries = {n: {"file": f"{n}.py", "source": t, "support": None, "names": []} for n, t in texts.items()}
        session.call("load", entries)
        return RemoteSubject(session, _Everything(), tmp_path)

    yield start
    for worker in workers:
        worker.close()


class _Everything(dict):
    """Finds every name in the module `student`."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return "student"
