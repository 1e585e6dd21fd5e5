"""The grader: the trusted process. It is started once, warm with torch and pytest, and forks a session a submission.

It reads requests from standard input, one JSON object a line, and writes events to standard output in the same way;
`grading` is the supervisor at the other end. A session is a forked child that runs pytest over the checks and dies:
what goes wrong in it, goes wrong once. When standard input ends, the supervisor has gone, and the grader goes too.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import gc
import importlib.metadata
import json
import os
import platform
import resource
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from . import confine, probing, sandbox
from .blame import Verdict
from .config import Homework, Limits, load_homework
from .errors import AutograderError, IsolationError, WorkerLost, ZygoteGone
from .loading import Code, inspect, solution
from .plugin import SHRINK_CALLS, Judge
from .results import Outcome, to_json
from .zygote import limit_memory, warm_up

ZYGOTE_GONE = 75  # exit status of a session whose zygote died (EX_TEMPFAIL)
NO_PROCESS = 71  # exit status in the place of a session's that could not be started (EX_OSERR)
LOG_SHOWN = 4_000  # characters of a session's own output that are worth showing when it died
DESCRIPTORS = 256  # files that a session, its zygote and its workers may have open


class Grader:
    """The warm process: holds the launcher, forks sessions."""

    def __init__(self, homework: Homework, mode: str, required: Sequence[str], events: int):
        self.homework, self.mode, self.required, self.events = homework, mode, required, events
        self.launcher = sandbox.launcher(mode, required, homework)
        self.one_each = mode == "container"  # a launcher serves one session
        self.served = False
        self.spare: sandbox.Launcher | None = None  # starts while the one before it serves

    def emit(self, event: dict[str, Any]) -> None:
        """Write one event."""
        write_event(self.events, event)

    def serve(self) -> None:
        """Answer requests until the supervisor closes standard input."""
        self.emit({"event": "ready", "isolation": sandbox.isolation(self.mode, self.launcher), "versions": versions()})
        try:
            for line in sys.stdin:
                request = json.loads(line)
                if request["op"] == "collect":
                    self.fork(self.collect)
                else:
                    self.serve_session(request)
        finally:
            self.launcher.close()
            if self.spare is not None:
                self.spare.close()

    def serve_session(self, request: dict[str, Any]) -> None:
        """Run a session; where each has a launcher of its own, the next one's is started meanwhile."""
        if self.one_each:
            if self.served:
                self._replace_launcher()
            with contextlib.suppress(OSError):  # then it is started when it is needed
                self.spare = sandbox.start(self.mode, self.homework)
        self.served = True
        self.fork(functools.partial(self.session, request))
        if self.one_each:
            self.launcher.close()

    def fork(self, task: Callable[[], None]) -> None:
        """Do a task in a child, wait for it, and say how it ended."""
        tasks = _tasks()
        assert tasks in (1, None), f"forking with {tasks} threads is not safe"
        try:
            with _memory_file() as log:
                pid = os.fork()
                if pid == 0:
                    self._child(task, log.fileno())
                self.emit({"event": "child", "pid": pid})
                code = os.waitstatus_to_exitcode(_wait(pid))
                log.seek(0)
                text = log.read().decode("utf-8", "replace")
        except OSError as error:
            code, text = NO_PROCESS, f"a session cannot be started: {error.strerror}"
        if code == ZYGOTE_GONE and not self.one_each:
            self._replace_launcher()
        self.emit({"event": "ended", "code": code, "log": text[-LOG_SHOWN:]})

    def _replace_launcher(self) -> None:
        """Start another launcher in place of one that fails.

        Raises:
            IsolationError: its workers are behind other layers, so that a result could not say which were in force.
        """
        before = sandbox.in_force(self.mode, self.launcher)
        with contextlib.suppress(OSError):
            self.launcher.close()
        self.launcher = self._launcher()
        now = sandbox.in_force(self.mode, self.launcher)
        if now != before:
            raise IsolationError(f"the layers in force changed while grading, from {before} to {now}")

    def _launcher(self) -> sandbox.Launcher:
        """The launcher that waits, or else a new one."""
        spare, self.spare = self.spare, None
        if spare is not None:
            with contextlib.suppress(IsolationError, ZygoteGone):
                return sandbox.launcher(self.mode, self.required, self.homework, spare)
        return sandbox.launcher(self.mode, self.required, self.homework)

    def _child(self, task: Callable[[], None], log: int) -> NoReturn:
        """Do a task, say what went wrong, and end, whatever happens: there must be one grader only."""
        code = 70  # EX_SOFTWARE
        with contextlib.suppress(OSError, AttributeError):  # AttributeError: a system without prctl
            confine.prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            os.dup2(log, 1)
            os.dup2(log, 2)
            task()
            code = 0
        except (IsolationError, ZygoteGone) as error:  # a worker did not start: perhaps another launcher's do
            code = ZYGOTE_GONE
            print(f"{type(error).__name__}: {error}")
        except AutograderError as error:
            code = 2
            self.emit({"event": "refused", "message": str(error)})
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def collect(self) -> None:
        """Collect the checks."""
        self.emit({"event": "collected", "checks": Judge(self.homework).collect()})

    def session(self, request: dict[str, Any]) -> None:
        """Inspect a submission's files, then run the checks that are asked for."""
        if self.mode == "none":  # elsewhere the worker has its own limit
            limit_memory(self.homework.limits.memory_mb)
        code = solution(self.homework) if request["op"] == "solution" else self._inspect(request)
        judge = Judge(
            self.homework,
            self.launcher,
            code,
            self.emit,
            request["checks"],
            seed=request.get("seed", 0),
            measure=request.get("measure", False),
            stop=request.get("stop", False),
            shrink=request.get("shrink", SHRINK_CALLS),
        )
        if request["checks"]:
            judge.run_checks()
        for question in dict.fromkeys(
            [*request.get("observe", ()), *(judge.failed if request.get("diagnose") else ())]
        ):
            if behaviour := probing.observe(self.homework, question, code, self.launcher):
                self.emit({"event": "observed", "question": question, "behaviour": behaviour})

    def _inspect(self, request: dict[str, Any]) -> Code:
        files = {name: base64.b64decode(content) for name, content in request["files"].items()}
        problems = {file: Verdict(Outcome(o), message) for file, (o, message) in request["problems"].items()}
        code, gates, lifted = inspect(
            self.homework,
            files,
            problems,
            self.launcher,
            lambda file: self.emit({"event": "loading", "file": file}),
            request.get("waived"),
        )
        self.emit(
            {
                "event": "inspected",
                "gates": gates,
                "notes": [wrong.message for wrong in code.problems.values()] + [f"waived: {line}" for line in lifted],
            }
        )
        return code


def write_event(descriptor: int, event: dict[str, Any]) -> None:
    """Write an event on a line of its own, whatever a session that was killed has left unfinished before it."""
    data = b"\n" + json.dumps(event, default=to_json).encode() + b"\n"
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:  # the supervisor has gone, and with it whoever wants to know
        os._exit(0)


def _memory_file() -> IO[bytes]:
    """A file for a session's own output: in memory, where there is room when a disk is full."""
    try:
        return open(os.memfd_create("log"), "w+b")
    except (AttributeError, OSError):  # AttributeError: not on Linux
        return tempfile.TemporaryFile()


def _wait(pid: int) -> int:
    """Wait for a session and return its wait status; when the supervisor goes first, end the session."""
    with contextlib.suppress(AttributeError, OSError):  # only Linux tells of either, whichever comes first
        ended, either = os.pidfd_open(pid), select.poll()
        either.register(ended, select.POLLIN)
        either.register(0, 0)  # the end of standard input, whatever can be read before it
        if ended not in dict(either.poll()):
            os.kill(pid, signal.SIGKILL)
        os.close(ended)
    return os.waitpid(pid, 0)[1]


def versions() -> dict[str, str]:
    """The versions that a verdict may depend on."""
    names = ("torch-autograder", "torch", "numpy", "pytest", "hypothesis")
    found = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def _tasks() -> int | None:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return None


def _expect_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < DESCRIPTORS:  # -1 is no limit
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
        except (ValueError, OSError) as error:
            text = f"grading needs {DESCRIPTORS} open files; the limit here is {hard}: raise it (ulimit -n)"
            raise IsolationError(text) from error


def start(options: dict[str, Any], events: int) -> Grader:
    """Start the grader that the command line's supervisor asked for.

    Raises:
        ConfigError: the homework is wrong.
        IsolationError: this machine cannot isolate as asked.
    """
    import torch

    _expect_descriptors()
    confine.undumpable()
    torch.set_num_threads(1)
    warm_up()
    gc.collect()  # once: it takes a sixth of a second
    gc.freeze()  # sessions share what is there with this process: their collections must not write to it
    homework = load_homework(Path(options["homework"]))
    limits = Limits(**{**homework.limits.model_dump(), **options["limits"]})
    homework = homework.model_copy(update={"limits": limits})
    return Grader(homework, options["isolation"], options["required"], events)


def main() -> None:
    """Be the grader: what keeps it from starting, or from going on, is told in one line."""
    events = os.dup(1)
    os.dup2(2, 1)  # what anything prints must not be taken for an event
    try:
        start(json.loads(sys.argv[1]), events).serve()
    except (AutograderError, WorkerLost, OSError) as error:
        write_event(events, {"event": "refused", "message": f"{error}"})
        sys.exit(2)


if __name__ == "__main__":
    main()
