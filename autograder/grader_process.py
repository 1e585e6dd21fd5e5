"""The grader as the supervisor has it: a child process that takes requests and tells events, one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .config import Homework
from .errors import IsolationError

PATIENCE = 60  # seconds beyond a check's own limits until the supervisor takes the grader to be stuck
START_SECONDS = 300  # for the grader and its zygote to import torch on a slow machine
GRADER = (sys.executable, "-P", "-m", "autograder.grader")  # the command that starts it; options follow


class GraderProcess:
    """The grader as a child process: requests in, events out.

    Raises:
        IsolationError: it does not start.
    """

    def __init__(
        self,
        homework: Homework,
        isolation: str,
        limits: Mapping[str, float] | None,
        required: Sequence[str],
        hash_seed: int,
    ):
        options = {
            "homework": str(homework.root),
            "isolation": isolation,
            "limits": dict(limits or {}),
            "required": list(required),
        }
        fixed = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        fixed["PYTHONHASHSEED"] = str(hash_seed)  # with --isolation none, student code's sets iterate as in a worker
        try:
            self.process = subprocess.Popen(
                [*GRADER, json.dumps(options)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **fixed},
                start_new_session=True,  # Ctrl-C is the supervisor's to handle
            )
        except OSError as error:
            raise IsolationError(f"the grader did not start: {error.strerror}") from error
        assert self.process.stdin is not None
        os.set_blocking(self.process.stdin.fileno(), False)
        self.buffer = b""
        self.ready = self.wait_for("ready", START_SECONDS)

    def send(self, request: Mapping[str, Any]) -> None:
        """Send one request; a grader that no longer takes any is ended, which shows when events are read."""
        assert self.process.stdin is not None
        descriptor = self.process.stdin.fileno()
        data = json.dumps(request).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError), memoryview(data) as view:
            sent = 0
            while sent < len(view):
                if not select.select([], [descriptor], [], PATIENCE)[1]:
                    self.kill()
                    return
                sent += os.write(descriptor, view[sent:])

    def next_event(self, seconds: float) -> dict[str, Any] | None:
        """The next event, or None when there is none within some seconds.

        Raises:
            EOFError: the grader has ended.
        """
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while True:
            line, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                with contextlib.suppress(ValueError):  # a session was killed while it wrote this line
                    return dict(json.loads(line))
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                raise EOFError("the grader has ended")
            self.buffer += data

    def wait_for(self, kind: str, seconds: float) -> dict[str, Any]:
        """Wait for an event of one kind."""
        try:
            event = self.next_event(seconds)
        except EOFError:
            event = None
        if event is None or event["event"] != kind:
            self.kill()
            self.close()
            reason = event["message"] if event and event["event"] == "refused" else "see its output above"
            raise IsolationError(f"the grader did not start: {reason}")
        return event

    def kill(self) -> None:
        """Kill the grader and its session; its zygote and workers end with it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the grader, which ends by itself when its standard input does, unless it is stuck."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        finally:  # also when Ctrl-C is pressed once more
            self.kill()
            self.process.wait()
