"""How the grader talks to one worker within limits, ends it, and says why it ended.

The same frames are carried by `InProcess` (`--isolation none`) and by `Process`, over a socket.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import random
import select
import signal
import socket
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy
import torch

from . import wire
from .config import Limits
from .errors import IsolationError, WireError, WorkerCrashed, WorkerLost, WorkerTimedOut
from .worker import Runtime

OUTPUT_KEPT = 64 << 10  # bytes of a worker's standard output and error; the rest is read and dropped
SCRATCH_SECONDS = 0.1  # how often a scratch folder is measured while student code runs


class Worker(Protocol):
    """A worker in use by one check: a transport with an end."""

    def exchange(self, request: list[Any], max_body: int) -> tuple[bytes, bytearray]:
        """Send a request and return the reply's header and body."""

    def lost(self, error: WireError) -> None:
        """End the worker, which broke the protocol."""

    def close(self) -> str:
        """End the worker; returns what it printed, cut."""


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


# -- in the same process -----------------------------------------------------------------------------------------------


class InProcess:
    """The runtime in the checks' own process: the same frames, no isolation; for debugging, and to measure cost."""

    def __init__(self, scratch: Scratch | None = None) -> None:
        self.runtime = Runtime()
        self.output = _Kept()
        mine = _global_state()
        self.state = (mine[0], numpy.random.MT19937(0), *mine[2:])
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
    """What student code may change; NumPy's generator itself stands for its state, which takes long to copy."""
    return torch.get_rng_state(), numpy.random.mtrand.get_bit_generator(), random.getstate(), torch.get_default_dtype()


def _set_global_state(state: tuple[Any, ...]) -> None:
    torch.set_rng_state(state[0])
    numpy.random.mtrand.set_bit_generator(state[1])
    random.setstate(state[2])
    torch.set_default_dtype(state[3])


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
            _, layers = wire.decode(*frame)
            self.layers = {str(layer)[:40]: str(reason)[:300] for layer, reason in layers.items()}
        except (WorkerLost, OSError, AssertionError, AttributeError, TypeError, ValueError) as error:
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
    over = ended.cpu_seconds >= 0.5 * limits.cpu_seconds  # the kernel limits by ticks, and reports less
    if number == signal.SIGXCPU or (number == signal.SIGKILL and over):
        return WorkerTimedOut(f"more than {limits.cpu_seconds:g} seconds of processor time")
    if number == signal.SIGKILL:
        return None if ended.killed else WorkerCrashed("the Python process was killed")
    return WorkerCrashed(f"the Python interpreter crashed ({signal.strsignal(number)})")


def _cut(text: str, total: int) -> str:
    """What was kept of an output, and a line that says so if that is not all."""
    return text if total <= OUTPUT_KEPT else f"{text[:OUTPUT_KEPT]}\n[cut: {total} characters in all]"
