"""Where workers run, seen from the grader: starting them, talking to them within limits, ending them, and saying why.

The same frames are carried by `InProcess` (`--isolation none`) and by `Process`, over a socket. Its workers come from a
`Zygote` (forked in milliseconds, Linux) or a `ColdStart` (a new interpreter each, elsewhere).
"""

from __future__ import annotations

import array
import contextlib
import io
import itertools
import json
import os
import random
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy
import torch

from . import confine, wire
from .config import Homework, Limits
from .errors import IsolationError, WireError, WorkerCrashed, WorkerLost, WorkerTimedOut, ZygoteGone
from .worker import Runtime

OUTPUT_KEPT = 64 << 10  # bytes of a worker's standard output and error; the rest is read and dropped
START_SECONDS = 120  # for a zygote or a cold worker to import torch on a slow machine
SCRATCH_SECONDS = 0.1  # how often a scratch folder is measured while student code runs
MODES = ("none", "process", "sandbox")
WANTED = {"none": (), "process": ("process", "limits"), "sandbox": confine.LAYERS}


class Worker(Protocol):
    """A worker in use by one check: a transport with an end."""

    def exchange(self, request: list[Any], max_body: int) -> tuple[bytes, bytearray]:
        """Send a request and return the reply's header and body."""

    def lost(self, error: WireError) -> None:
        """End the worker, which broke the protocol."""

    def close(self) -> str:
        """End the worker; returns what it printed, cut."""


class Launcher(Protocol):
    """Starts workers.

    Attributes:
        layers: by layer that was asked for, an empty text if it is in force, or why it is not.
        opening: what workers may open.
    """

    layers: dict[str, str]
    opening: Opening

    def take(self, limits: Limits) -> Worker:
        """Return a fresh worker, whose time starts now."""

    def close(self) -> None:
        """End what this launcher started."""


class Scratch:
    """A worker's own folder, where its homework lets it write, with a limit on what it may hold.

    Args:
        folder: where it is made.
        megabytes: the limit.
        owner: the user id of the workers.
    """

    def __init__(self, folder: str, megabytes: int, owner: int | None):
        self.megabytes = megabytes
        self.path = tempfile.mkdtemp(dir=folder)
        if owner is not None and os.geteuid() == 0:
            os.chown(self.path, owner, owner)

    def check(self) -> None:
        """Look at what is in it.

        Raises:
            WorkerCrashed: more than it may hold, or what cannot be measured.
        """
        left, folders = self.megabytes << 20, [self.path]
        while folders:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        status = entry.stat(follow_symlinks=False)
                        left -= status.st_blocks * 512 + 4096  # what a name costs
                        if stat.S_ISDIR(status.st_mode):
                            folders.append(entry.path)
                        if left < 0:
                            raise WorkerCrashed(f"your code wrote more than {self.megabytes} MB of files")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise WorkerCrashed(f"your code wrote what cannot be measured ({error.strerror})") from error

    def remove(self) -> None:
        """Remove it with all that is in it; its worker has ended.

        Folders in folders come up to the top one by one: no path gets too long, however deep they are.
        """
        numbers = itertools.count()
        with contextlib.suppress(FileNotFoundError):
            while entries := list(os.scandir(self.path)):
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)
                        continue
                    os.chmod(entry.path, 0o700)
                    for inner in os.scandir(entry.path):
                        os.rename(inner.path, os.path.join(self.path, f".{next(numbers)}-{os.urandom(4).hex()}"))
                    os.rmdir(entry.path)
            os.rmdir(self.path)


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


# -- in the same process -----------------------------------------------------------------------------------------------


class InProcess:
    """The runtime in the checks' own process: the same frames, no isolation; for debugging, and to measure cost."""

    def __init__(self, scratch: Scratch | None = None) -> None:
        self.runtime = Runtime()
        self.output = _Kept()
        self.state = _global_state()
        self.scratch = scratch

    def exchange(self, request: list[Any], max_body: int) -> tuple[bytes, bytearray]:
        """Answer in place, with the global state that student code left behind the last time."""
        mine = _global_state()
        _set_global_state(self.state)
        folder = contextlib.chdir(self.scratch.path) if self.scratch else contextlib.nullcontext()
        try:
            with folder, contextlib.redirect_stdout(self.output), contextlib.redirect_stderr(self.output):
                reply = self.runtime.answer(*_frame(request, wire.MAX_BODY))
        finally:
            self.state = _global_state()
            _set_global_state(mine)
        return _frame(reply, max_body)

    def lost(self, error: WireError) -> None:
        """Nothing to end: the process is the grader's own."""

    def close(self) -> str:
        """Forget the student's modules."""
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self.runtime.sources)
        for name in self.runtime.names:
            sys.modules.pop(name, None)
        if self.scratch is not None:
            self.scratch.remove()
        return _cut("".join(self.output.parts), self.output.total)


class _Kept(io.TextIOBase):
    """A stream that keeps the first part of what is written to it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.total = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        room = OUTPUT_KEPT - self.total
        if room > 0:
            self.parts.append(text[:room])
        self.total += len(text)
        return len(text)


def _frame(buffers: list[Any], max_body: int) -> tuple[bytes, bytearray]:
    frame = wire.read_frame(io.BytesIO(b"".join(buffers)).readinto, max_body)
    assert frame is not None  # encode() makes at least a prefix
    return frame


def _global_state() -> tuple[Any, ...]:
    return torch.get_rng_state(), numpy.random.get_state(), random.getstate(), torch.get_default_dtype()


def _set_global_state(state: tuple[Any, ...]) -> None:
    torch.set_rng_state(state[0])
    numpy.random.set_state(state[1])
    random.setstate(state[2])
    torch.set_default_dtype(state[3])


class SameProcess:
    """Launches `InProcess` workers."""

    def __init__(self, homework: Homework | None = None) -> None:
        self.layers: dict[str, str] = {}
        self.opening = Opening(homework)

    def take(self, limits: Limits) -> Worker:
        """Return a fresh runtime; limits are the supervisor's business here."""
        return InProcess(self.opening.scratch())

    def close(self) -> None:
        """Nothing was started."""
        self.opening.close()


# -- in a process of its own -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a worker's process ended: its wait status, the processor seconds it used, and whether we killed it."""

    status: int
    cpu_seconds: float
    killed: bool


class Process:
    """A worker in another process, over a socket; its standard output and error come through a pipe."""

    def __init__(
        self, pid: int, channel: socket.socket, output: int, limits: Limits, end: Any, scratch: Scratch | None = None
    ):
        self.pid, self.channel, self.output, self.limits, self._end = pid, channel, output, limits, end
        self.scratch = scratch
        self.deadline = time.monotonic() + limits.wall_seconds
        self.printed = bytearray()
        self.printed_total = 0
        self.ended: Ended | None = None
        self.layers: dict[str, str] = {}
        self.stopped = False
        self.hung_up = False
        self.loss: WorkerLost | None = None
        channel.setblocking(False)
        os.set_blocking(output, False)
        self.poll = select.poll()
        self.poll.register(output, select.POLLIN)

    def greet(self) -> None:
        """Receive the worker's first frame, from before there was student code: the layers that are in force.

        Raises:
            IsolationError: it does not come.
        """
        try:
            frame = wire.read_frame(self._read_into)
            assert frame is not None
            _, self.layers = wire.decode(*frame)
        except (WorkerLost, OSError, AssertionError) as error:
            said = self.close()
            raise IsolationError(f"a worker did not start: {error} {said[-500:]}") from error

    def exchange(self, request: list[Any], max_body: int) -> tuple[bytes, bytearray]:
        """Send and receive, reading what student code prints meanwhile."""
        if self.loss is not None:
            raise self.loss
        try:
            for buffer in request:
                self._send(buffer)
            frame = wire.read_frame(self._read_into, max_body)
            if frame is None:
                raise WireError("the channel was closed")
            if select.select([self.channel], [], [], 0)[0] and self.channel.recv(1, socket.MSG_PEEK):
                raise WireError("a surplus frame")
            if self.scratch is not None:
                self.scratch.check()
        except (WireError, OSError) as error:
            raise self._lose(error) from error
        except (WorkerTimedOut, WorkerCrashed) as error:
            self.loss = error
            self._stop()
            raise
        self._drain()
        return frame

    def lost(self, error: WireError) -> None:
        """End the worker, which broke the protocol."""
        self.loss = error
        self._stop()

    def close(self) -> str:
        """Kill the worker and all it started; returns what it printed, cut."""
        self._stop(wait=self.scratch is not None)
        if self.scratch is not None:
            self.scratch.remove()
        return _cut(self.printed.decode("utf-8", "replace"), self.printed_total)

    def _send(self, buffer: Any) -> None:
        with memoryview(buffer) as view:
            start = 0
            while start < len(view):
                self._wait(select.POLLOUT)
                with contextlib.suppress(BlockingIOError):
                    start += self.channel.send(view[start:])

    def _read_into(self, free: memoryview) -> int:
        while True:
            self._wait(select.POLLIN)
            try:
                count = self.channel.recv_into(free)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                count = 0
            self.hung_up = count == 0
            return count

    def _wait(self, event: int) -> None:
        """Wait until the channel is ready, and take in what the worker prints."""
        self.poll.register(self.channel, event)
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise WorkerTimedOut(f"no answer within {self.limits.wall_seconds:g} seconds")
            ready = dict(self.poll.poll(min(left, SCRATCH_SECONDS if self.scratch else 5.0) * 1000))
            if self.scratch is not None and not ready:
                self.scratch.check()
            if self.output in ready:
                self._drain()
            if self.channel.fileno() in ready:
                return

    def _drain(self) -> None:
        """Read what has been printed; keep the first part of it."""
        for _ in range(64):
            try:
                data = os.read(self.output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                with contextlib.suppress(KeyError):
                    self.poll.unregister(self.output)
                return
            self.printed_total += len(data)
            self.printed += data[: max(0, OUTPUT_KEPT - len(self.printed))]

    def _lose(self, error: Exception | WireError) -> WorkerLost:
        """Find out why a worker stopped answering; one that answered wrongly ends only because of us."""
        if isinstance(error, WireError) and not self.hung_up:
            self.lost(error)
            return error
        self._stop(grace=0.5)
        ended = self.ended
        self.loss = explain(ended, self.limits) if ended is not None else None
        if self.loss is None:
            self.loss = WorkerCrashed("your code closed its connection to the grader")
        return self.loss

    def _stop(self, grace: float = 0.0, wait: bool = True) -> None:
        if not self.stopped:
            self.stopped = True
            self.channel.close()
            try:
                self.ended = self._end(self.pid, grace, wait)
            finally:
                self._drain()
                os.close(self.output)


def explain(ended: Ended, limits: Limits) -> WorkerLost | None:
    """What a worker died of, by its wait status; None when it was alive until we killed it."""
    if os.WIFEXITED(ended.status):
        code = os.WEXITSTATUS(ended.status)
        return WorkerCrashed(f"your code ended the Python process (exit status {code})")
    number = os.WTERMSIG(ended.status)
    over = ended.cpu_seconds >= 0.9 * limits.cpu_seconds  # the kernel counts what it reports less exactly
    if number == signal.SIGXCPU or (number == signal.SIGKILL and over):
        return WorkerTimedOut(f"more than {limits.cpu_seconds:g} seconds of processor time")
    if number == signal.SIGKILL:
        return None if ended.killed else WorkerCrashed("the Python process was killed")
    return WorkerCrashed(f"the Python interpreter crashed ({signal.strsignal(number)})")


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
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = _start_python(theirs, ["--zygote", str(theirs.fileno()), self.opening.settings(layers)])
        theirs.close()
        self.numbers = itertools.count(1)
        self.replies: dict[int | str, dict[str, Any]] = {}
        self.unwanted: set[int] = set()
        self.waiting: _Requested | None = None
        ready = self._receive("ready", START_SECONDS)
        if ready.get("tasks") not in (1, None):
            raise IsolationError(f"the zygote has {ready.get('tasks')} threads; forking it would not be safe")
        self.layers: dict[str, str] = {}
        first = self._take(Limits())
        self.layers = first.layers
        first.close()
        self.discard()  # sessions are forked from this process: they must not share a worker that waits

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


class ColdStart:
    """Starts each worker as a new interpreter: slower; where forking after `import torch` is not safe."""

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
        process = _start_python(theirs, ["--cold", str(theirs.fileno()), self.settings, bounds], write)
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


def _start_python(channel: socket.socket, arguments: list[str], output: int | None = None) -> subprocess.Popen[bytes]:
    """Start the untrusted side's entry point with a clean environment and no descriptors but those it is given."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-m", "autograder.zygote", *arguments],
        pass_fds=[channel.fileno()],
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            **threads,
        },  # sets iterate alike
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if output is None else output,
        stderr=None if output is None else output,
        start_new_session=True,
    )


def launcher(mode: str, required: Sequence[str] = (), homework: Homework | None = None) -> Launcher:
    """What starts workers under an isolation mode.

    Args:
        mode: one of `MODES`.
        required: layers that must be in force.
        homework: says what workers may open; nothing if None.

    Raises:
        IsolationError: this system cannot do it.
    """
    started: Launcher
    if mode == "none":
        started = SameProcess(homework)
    elif sys.platform == "win32":
        raise IsolationError("workers in another process need Linux or macOS; use --isolation none here")
    else:
        started = Zygote(WANTED[mode], homework) if sys.platform == "linux" else ColdStart(homework=homework)
    if mode == "sandbox" and homework is not None and homework.files is not None:
        required = [*required, "landlock"]  # without it, what may open files may open all of them
    missing = [layer for layer in required if layer not in in_force(mode, started)]
    if missing:
        started.close()
        reasons = ", ".join(f"{layer} ({started.layers.get(layer) or 'not asked for'})" for layer in missing)
        raise IsolationError(f"grading requires layers that are not in force here: {reasons}")
    return started


def in_force(mode: str, started: Launcher) -> list[str]:
    """The layers that a launcher's workers are behind, each tried by a probe where one can be tried."""
    given = [] if mode == "none" else ["process", "limits"]
    return given + [layer for layer, failing in started.layers.items() if not failing]


def isolation(mode: str, started: Launcher) -> dict[str, Any]:
    """The isolation that a mode gives here, as results report it: layers in force, and why others are not."""
    absent = {layer: reason for layer, reason in started.layers.items() if reason}
    files = started.opening.files
    opens = {} if files is None else {"opens": f"the Python installation; a scratch folder of {files.scratch_mb} MB"}
    return {"mode": mode, "layers": in_force(mode, started), "absent": absent, **opens}


def _cut(text: str, total: int) -> str:
    """What was kept of an output, and a line that says so if that is not all."""
    return text if total <= OUTPUT_KEPT else f"{text[:OUTPUT_KEPT]}\n[cut: {total} characters in all]"
