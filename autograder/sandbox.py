"""Where workers come from, seen from the grader: launchers for each isolation mode, and the layers they give.

Workers are forked in milliseconds by a `Zygote` (Linux), or started as a new interpreter each by a `ColdStart`.
"""

from __future__ import annotations

import array
import contextlib
import itertools
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from . import confine, containers, zygote
from .config import Homework, Limits
from .errors import IsolationError, ZygoteGone
from .transports import Ended, InProcess, Process, Scratch, Worker

START_SECONDS = 120  # for a zygote or a cold worker to import torch on a slow machine
END_SECONDS = 180  # for a container to be removed
MODES = ("none", "process", "sandbox")  # those that need no container engine
WANTED: dict[str, tuple[str, ...]] = {
    "none": (),
    "process": ("process", "limits"),
    "sandbox": tuple(layer for layer in confine.LAYERS if layer != "container"),
    "container": confine.LAYERS,
}


class Launcher(Protocol):
    """Starts workers.

    Attributes:
        layers: by layer that was asked for, an empty text if it is in force, or why it is not.
        opening: what workers may open.
        around: what else is known of where they are, as results report it.
    """

    layers: dict[str, str]
    opening: Opening
    around: Mapping[str, Any]

    def take(self, limits: Limits) -> Worker:
        """Return a fresh worker, whose time starts now."""

    def close(self) -> None:
        """End what this launcher started."""


class Opening:
    """What a homework's workers may open: nothing, or the Python installation and a scratch folder each."""

    def __init__(self, homework: Homework | None):
        self.files = homework.files if homework else None
        self.grader = os.getpid()
        self.folder = ""
        if self.files is not None:
            self.folder = tempfile.mkdtemp(prefix="autograder-")
            os.chmod(self.folder, 0o711)  # workers are another user
        self.hidden: list[Path] = []
        if homework is not None:
            folders = (homework.solutions, homework.hidden_checks, homework.public_checks)
            self.hidden = [homework.path(folder) for folder in folders] + [Path(__file__).parent]

    def settings(self, layers: Sequence[str]) -> str:
        """What workers are told when they start, as JSON."""
        told: dict[str, Any] = {"layers": layers, "grader": self.grader}
        if self.files is not None:
            told["readable"] = confine.python_installation(self.hidden)
            told["hidden"] = [str(path) for path in self.hidden]
        return json.dumps(told)

    def scratch(self, layers: Sequence[str] = ()) -> Scratch | None:
        """A folder for one worker."""
        if self.files is None:
            return None
        return Scratch(self.folder, self.files.scratch_mb, confine.user_of(self.grader) if "user" in layers else None)

    def close(self) -> None:
        """Remove what workers left, those too that nobody could end in order."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class SameProcess:
    """Launches `InProcess` workers."""

    around: Mapping[str, Any] = {}

    def __init__(self, homework: Homework | None = None) -> None:
        self.layers: dict[str, str] = {}
        self.opening = Opening(homework)

    def take(self, limits: Limits) -> Worker:
        """Return a fresh runtime; limits are the supervisor's business here."""
        return InProcess(self.opening.scratch())

    def close(self) -> None:
        """Nothing was started."""
        self.opening.close()


@dataclass(frozen=True)
class _Requested:
    """A worker that a zygote was asked for."""

    limits: Limits
    number: int
    channel: socket.socket
    output: int
    scratch: Scratch | None

    def close(self) -> None:
        """Give it up, when there is no zygote any more."""
        self.channel.close()
        os.close(self.output)
        if self.scratch is not None:
            self.scratch.remove()


def _bounds(limits: Limits, scratch: Scratch | None) -> dict[str, Any]:
    """What a worker is told of its limits."""
    written = {} if scratch is None else {"scratch": scratch.path, "scratch_mb": scratch.megabytes}
    return {**limits.model_dump(), **written}


class Zygote:
    """A process that has imported torch and forks workers on request; see `zygote` for its side.

    Raises:
        IsolationError: it does not start.
    """

    def __init__(self, layers: Sequence[str] = (), homework: Homework | None = None) -> None:
        self.opening, self.wanted = Opening(homework), layers
        self.around: Mapping[str, Any] = {}
        self.given: dict[str, str] = {}  # layers around all workers, which they do not report themselves
        self.layers: dict[str, str] = {}
        self.numbers = itertools.count(1)
        self.replies: dict[int | str, dict[str, Any]] = {}
        self.unwanted: set[int] = set()
        self.waiting: _Requested | None = None
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.process = self._start(theirs)
        except BaseException:
            self.control.close()
            raise
        finally:
            theirs.close()
        self._begin()

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        """Start the process at the other end of the control socket."""
        return zygote.start(theirs, ["--zygote", str(theirs.fileno()), self.opening.settings(self.wanted)])

    def _begin(self) -> None:
        """Wait until it is ready, and find out which layers its workers are behind."""
        ready = self._receive("ready", START_SECONDS)
        if "refused" in ready:
            raise IsolationError(ready["refused"])
        if ready.get("tasks") not in (1, None):
            raise IsolationError(f"the zygote has {ready.get('tasks')} threads; forking it would not be safe")
        self._surroundings(ready)
        first = self._take(Limits())
        self.layers = first.layers
        first.close()
        self.discard()  # sessions are forked from this process: they must not share a worker that waits

    def _surroundings(self, ready: Mapping[str, Any]) -> None:
        """Take in what is said of where the workers will be."""

    def take(self, limits: Limits) -> Worker:
        """Return a worker forked ahead of time if its limits fit, and have the next one forked.

        Raises:
            IsolationError: a layer that was in force for the first worker is not for this one.
        """
        worker = self._take(limits)
        if worker.layers != self.layers:
            worker.close()
            raise IsolationError(f"a worker's layers are {worker.layers}; they were {self.layers}")
        return worker

    def _take(self, limits: Limits) -> Process:
        if self.waiting is not None and self.waiting.limits != limits:
            self.discard()
        if self.waiting is None:
            self.waiting = self._request(limits)
        worker = self._forked()
        with contextlib.suppress(ZygoteGone):  # then the worker in hand is gone too, and its first call says so
            self.waiting = self._request(limits)
        worker.greet()
        worker.layers = {**worker.layers, **self.given}
        return worker

    def _forked(self) -> Process:
        """The worker that was asked for last."""
        assert self.waiting is not None
        pid = self._receive(self.waiting.number)["pid"]
        asked, self.waiting = self.waiting, None
        return Process(pid, asked.channel, asked.output, asked.limits, self._end, asked.scratch)

    def discard(self) -> None:
        """End the worker that was forked ahead of time."""
        if self.waiting is not None:
            self._forked().close()

    def alive(self) -> bool:
        """Whether the zygote still runs; only the process that started it can tell."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the zygote, and with it all its workers."""
        waiting, self.waiting = self.waiting, None
        self.control.close()
        self.process.kill()
        self.process.wait()
        if waiting is not None:
            waiting.close()
        self.opening.close()

    def _request(self, limits: Limits) -> _Requested:
        number = os.getpid() * 1_000_000 + next(self.numbers)
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        asked = _Requested(limits, number, ours, read, self.opening.scratch(self.wanted))
        message = json.dumps({"op": "fork", "number": number, "limits": _bounds(limits, asked.scratch)}).encode()
        descriptors = array.array("i", [theirs.fileno(), write])
        try:
            self.control.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        except OSError as error:
            asked.close()
            raise ZygoteGone(f"the zygote does not take requests: {error}") from error
        finally:
            theirs.close()
            os.close(write)
        return asked

    def _receive(self, number: int | str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while number not in self.replies and (left := deadline - time.monotonic()) > 0:
            self.control.settimeout(left)
            try:
                message = self.control.recv(1 << 16)
            except OSError as error:
                raise ZygoteGone(f"the zygote does not answer: {error}") from error
            if not message:
                raise ZygoteGone("the zygote has ended")
            reply = json.loads(message)
            if reply["number"] in self.unwanted:
                self.unwanted.discard(reply["number"])
            else:
                self.replies[reply["number"]] = reply  # perhaps of a request that is not waited for yet
        if number in self.replies:
            return self.replies.pop(number)
        raise ZygoteGone("the zygote does not answer")

    def _end(self, pid: int, grace: float, wait: bool) -> Ended | None:
        """Have a worker killed; how it had ended is only known to who waits for it."""
        number = os.getpid() * 1_000_000 + next(self.numbers)
        try:
            self.control.send(json.dumps({"op": "end", "number": number, "pid": pid, "grace": grace}).encode())
        except OSError as error:
            raise ZygoteGone(f"the zygote does not take requests: {error}") from error
        if not wait:
            self.unwanted.add(number)
            return None
        reply = self._receive(number)
        return Ended(reply["status"], reply["cpu_seconds"], reply["killed"])


class Container(Zygote):
    """A zygote in a container of its own, which serves one submission; `relay` carries what is said.

    It starts when this is made; `begin` waits for it.

    Raises:
        IsolationError: there is no engine or no image, or the homework cannot be graded so.
    """

    def __init__(self, homework: Homework | None = None) -> None:
        if homework is not None and homework.files is not None:
            text = "a homework whose answers open files cannot be graded in containers yet: use --isolation sandbox"
            raise IsolationError(text)
        self.memory_mb = (homework.limits if homework else Limits()).memory_mb
        self.begun = False
        super().__init__(WANTED["container"], homework)

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        name, command = self._command()
        return subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", "autograder.relay", "--outside", str(theirs.fileno()), name, *command],
            pass_fds=[theirs.fileno()],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _command(self) -> tuple[str, list[str]]:
        """The container's name, and the command that runs it."""
        chosen = containers.choose()
        name = f"autograder-{os.getpid()}-{os.urandom(6).hex()}"
        self.around = {"engine": chosen.engine, "image": chosen.image, "image_id": chosen.identity}
        return name, containers.command(chosen, name, self.memory_mb, self._inside())

    def _inside(self) -> list[str]:
        """The program that the container runs."""
        settings = json.dumps({"layers": self.wanted})
        return ["python", "-s", "-P", "-m", "autograder.relay", "--inside", settings]

    def _begin(self) -> None:
        """Do not wait yet."""

    def begin(self) -> None:
        """Wait until the first worker has said which layers it is behind."""
        if not self.begun:
            super()._begin()
            self.begun = True

    def _surroundings(self, ready: Mapping[str, Any]) -> None:
        self.given = {"container": ready["container"]}
        self.around = {**self.around, "versions": ready["versions"]}

    def close(self) -> None:
        """Have the container removed, and wait until it is."""
        waiting, self.waiting = self.waiting, None
        self.control.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if waiting is not None:
            waiting.close()
        self.opening.close()


class ColdStart:
    """Starts each worker as a new interpreter: slower; where forking after `import torch` is not safe."""

    around: Mapping[str, Any] = {}

    def __init__(self, layers: Sequence[str] = (), homework: Homework | None = None) -> None:
        self.opening = Opening(homework)
        self.settings = self.opening.settings(layers)
        self.layers: dict[str, str] = {}

    def take(self, limits: Limits) -> Worker:
        """Start an interpreter and wait until it has imported torch."""
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        scratch = self.opening.scratch()
        bounds = json.dumps(_bounds(limits, scratch))
        process = zygote.start(theirs, ["--cold", str(theirs.fileno()), self.settings, bounds], write)
        theirs.close()
        os.close(write)
        ours.settimeout(START_SECONDS)
        if ours.recv(1) != b"r":
            raise IsolationError("a worker did not start")
        worker = Process(process.pid, ours, read, limits, lambda pid, grace, wait: _end_child(process, grace), scratch)
        worker.greet()
        return worker

    def close(self) -> None:
        """Every worker was ended by its check."""
        self.opening.close()


def _end_child(process: subprocess.Popen[bytes], grace: float) -> Ended:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    killed = process.poll() is None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ended(-code if code < 0 else code << 8, used, killed)


def launcher(
    mode: str, required: Sequence[str] = (), homework: Homework | None = None, started: Launcher | None = None
) -> Launcher:
    """What starts workers under an isolation mode.

    Args:
        mode: one of `MODES`, or `container`.
        required: layers that must be in force.
        homework: says what workers may open; nothing if None.
        started: what `start` returned, to go on with.

    Raises:
        IsolationError: this system cannot do it.
    """
    started = started or start(mode, homework)
    if isinstance(started, Container):
        required = [*required, "container"]
        try:
            started.begin()
        except BaseException:
            started.close()
            raise
    if mode == "sandbox" and homework is not None and homework.files is not None:
        required = [*required, "landlock"]  # without it, what may open files may open all of them
    missing = [layer for layer in required if layer not in in_force(mode, started)]
    if missing:
        started.close()
        reasons = ", ".join(f"{layer} ({started.layers.get(layer) or 'not asked for'})" for layer in missing)
        raise IsolationError(f"grading requires layers that are not in force here: {reasons}")
    return started


def start(mode: str, homework: Homework | None = None) -> Launcher:
    """Start what a mode needs; of a container nothing is known yet.

    Raises:
        IsolationError: this system cannot do it.
    """
    if mode == "none":
        return SameProcess(homework)
    if mode == "container":
        if sys.platform != "linux":
            raise IsolationError("--isolation container needs Linux")
        return Container(homework)
    return Zygote(WANTED[mode], homework) if sys.platform == "linux" else ColdStart(homework=homework)


def in_force(mode: str, started: Launcher) -> list[str]:
    """The layers that a launcher's workers are behind, each tried by a probe where one can be tried."""
    given = [] if mode == "none" else ["process", "limits"]
    return given + [layer for layer, failing in started.layers.items() if not failing]


def isolation(mode: str, started: Launcher) -> dict[str, Any]:
    """The isolation that a mode gives here, as results report it: layers in force, and why others are not."""
    absent = {layer: reason for layer, reason in started.layers.items() if reason}
    files = started.opening.files
    opens = {} if files is None else {"opens": f"the Python installation; a scratch folder of {files.scratch_mb} MB"}
    return {"mode": mode, "layers": in_force(mode, started), "absent": absent, **opens, **started.around}
