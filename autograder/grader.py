"""The grader: the trusted process. It is started once, warm with torch and pytest, and forks a session a submission.

It reads requests from standard input, one JSON object a line, and writes events to standard output in the same way;
`grading` is the supervisor at the other end. A session is a forked child that runs pytest over the checks and dies:
what goes wrong in it, goes wrong once.
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
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import confine, sandbox
from .blame import Verdict
from .config import Homework, Limits, load_homework
from .errors import AutograderError, ZygoteGone
from .loading import Code, inspect, solution
from .plugin import Judge
from .results import Outcome, to_json
from .zygote import limit_memory, warm_up

ZYGOTE_GONE = 75  # exit status of a session whose zygote died (EX_TEMPFAIL)
LOG_SHOWN = 4_000  # characters of a session's own output that are worth showing when it died


class Grader:
    """The warm process: holds the launcher, forks sessions."""

    def __init__(self, homework: Homework, mode: str, required: Sequence[str], events: int):
        self.homework, self.mode, self.required, self.events = homework, mode, required, events
        self.launcher = sandbox.launcher(mode, required)

    def emit(self, event: dict[str, Any]) -> None:
        """Write one event."""
        data = json.dumps(event, default=to_json).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self.events, data) :]
        except BrokenPipeError:  # the supervisor has gone, and with it whoever wants to know
            os._exit(0)

    def serve(self) -> None:
        """Answer requests until the supervisor closes standard input."""
        self.emit({"event": "ready", "isolation": sandbox.isolation(self.mode, self.launcher), "versions": versions()})
        for line in sys.stdin:
            request = json.loads(line)
            if request["op"] == "collect":
                self.fork(self.collect)
            else:
                self.fork(functools.partial(self.session, request))
        self.launcher.close()

    def fork(self, task: Callable[[], None]) -> None:
        """Do a task in a child, wait for it, and say how it ended."""
        tasks = _tasks()
        assert tasks in (1, None), f"forking with {tasks} threads is not safe"
        gc.collect()
        gc.freeze()
        with tempfile.TemporaryFile() as log:
            pid = os.fork()
            if pid == 0:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                os._exit(self._child(task))
            self.emit({"event": "child", "pid": pid})
            _, status = os.waitpid(pid, 0)
            log.seek(0)
            text = log.read().decode("utf-8", "replace")
        gc.unfreeze()
        code = os.waitstatus_to_exitcode(status)
        if code == ZYGOTE_GONE:
            with contextlib.suppress(OSError):
                self.launcher.close()
            self.launcher = sandbox.launcher(self.mode, self.required)
        self.emit({"event": "ended", "code": code, "log": text[-LOG_SHOWN:]})

    def _child(self, task: Callable[[], None]) -> int:
        try:
            task()
            return 0
        except AutograderError as error:
            self.emit({"event": "refused", "message": str(error)})
            return 2
        except ZygoteGone:
            return ZYGOTE_GONE
        except BaseException:
            traceback.print_exc()
            return 70  # EX_SOFTWARE
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

    def collect(self) -> None:
        """Collect the checks."""
        self.emit({"event": "collected", "checks": Judge(self.homework).collect()})

    def session(self, request: dict[str, Any]) -> None:
        """Inspect a submission's files, then run the checks that are asked for."""
        if self.mode == "none":  # elsewhere the worker has its own limit
            limit_memory(self.homework.limits.memory_mb)
        code = solution(self.homework) if request["op"] == "solution" else self._inspect(request)
        measured: dict[str, float] | None = {} if request.get("measure") else None
        judge = Judge(
            self.homework,
            self.launcher,
            code,
            self.emit,
            set(request["checks"]),
            seed=request.get("seed", 0),
            measured=measured,
        )
        judge.run_checks()
        if measured is not None:
            self.emit({"event": "measured", "quantities": measured})

    def _inspect(self, request: dict[str, Any]) -> Code:
        files = {name: base64.b64decode(content) for name, content in request["files"].items()}
        problems = {file: Verdict(Outcome(o), message) for file, (o, message) in request["problems"].items()}
        code, gates = inspect(
            self.homework,
            files,
            problems,
            self.launcher,
            lambda file: self.emit({"event": "loading", "file": file}),
        )
        self.emit(
            {
                "event": "inspected",
                "gates": gates,
                "notes": [wrong.message for wrong in code.problems.values()],
            }
        )
        return code


def versions() -> dict[str, str]:
    """The versions that a verdict may depend on."""
    names = ("torch-autograder", "torch", "numpy", "pytest", "hypothesis")
    found = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def _tasks() -> int | None:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return None


def main() -> None:
    """Start the grader that the command line's supervisor asked for."""
    import torch

    confine.undumpable()
    torch.set_num_threads(1)
    warm_up()
    options = json.loads(sys.argv[1])
    events = os.dup(1)
    os.dup2(2, 1)  # what anything prints must not be taken for an event
    homework = load_homework(Path(options["homework"]))
    limits = homework.limits
    if options.get("limits"):
        limits = Limits(**{**limits.model_dump(), **options["limits"]})
    grader = None
    try:
        grader = Grader(
            homework.model_copy(update={"limits": limits}), options["isolation"], options["required"], events
        )
    except AutograderError as error:
        os.write(events, json.dumps({"event": "refused", "message": str(error)}).encode() + b"\n")
        sys.exit(2)
    grader.serve()


if __name__ == "__main__":
    main()
