"""The untrusted side's entry point: imports torch once, holds no secret, and forks a worker for every request.

Started by `sandbox` with a clean environment. Forking is safe only while the process has exactly one thread and no
parallel region has ever run in it: both are kept, by one-thread settings and a warm-up that stays small.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import gc
import importlib
import json
import math
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Any

from . import confine

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# What a worker may import although it can open no file: the standard library, as far as a student may want it.
PRELOAD = (
    "abc", "argparse", "array", "ast", "base64", "bisect", "calendar", "cmath", "collections.abc",
    "concurrent.futures", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "dis", "enum",
    "fnmatch", "fractions", "functools", "gc", "graphlib", "hashlib", "heapq", "html", "inspect", "io", "itertools",
    "json", "keyword", "logging", "math", "numbers", "operator", "pathlib", "pickle", "platform", "pprint", "queue",
    "random", "re", "reprlib", "secrets", "shutil", "signal", "statistics", "string", "struct", "tempfile",
    "textwrap", "threading", "time", "timeit", "token", "tokenize", "traceback", "types", "typing", "unicodedata",
    "unittest", "uuid", "warnings", "weakref", "zlib", "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.polynomial",
    "numpy.random", "numpy.testing", "numpy.typing", "torch.autograd.functional", "torch.distributions", "torch.fft",
    "torch.func", "torch.linalg", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.optim",
    "torch.optim.lr_scheduler", "torch.sparse", "torch.special", "torch.testing", "torch.utils.data",
    "torch.utils.checkpoint", "encodings.ascii", "encodings.base64_codec", "encodings.cp1252", "encodings.hex_codec",
    "encodings.idna", "encodings.latin_1", "encodings.punycode", "encodings.raw_unicode_escape",
    "encodings.unicode_escape", "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le", "encodings.utf_32",
    "encodings.utf_7", "encodings.utf_8_sig", "encodings.zlib_codec",
)  # fmt: skip
# Workers share some 200 MB of small objects with their zygote. In huge pages, a fork with its end takes 4 ms, not 15:
# there are fewer entries to copy. Only glibc's malloc can be told to ask for them; without it, nothing changes.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PYTHONMALLOC": "malloc"}
CHANNEL = 3  # the only descriptor of a worker besides the standard ones


def start(channel: socket.socket, arguments: list[str], output: int | None = None) -> subprocess.Popen[bytes]:
    """Start this module as a program, with a clean environment and no descriptors but those it is given.

    Args:
        channel: inherited under its number.
        arguments: see `main`.
        output: takes standard output and error; without it, errors go where this process's go.
    """
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    seed = {"PYTHONHASHSEED": "0"}  # sets iterate alike
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-m", "autograder.zygote", *arguments],
        pass_fds=[channel.fileno()],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **seed, **threads, **HUGE_PAGES},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if output is None else output,
        stderr=None if output is None else output,
        start_new_session=True,
    )


def main(arguments: list[str]) -> None:
    """Serve as the zygote of a control socket, or as one cold worker of a channel."""
    settings = json.loads(arguments[2])
    if arguments[0] == "--zygote" and "namespaces" in settings["layers"]:
        try:
            confine.enter_namespaces()
        except OSError as error:
            settings["outside"] = error.strerror or type(error).__name__

    import torch

    torch.set_num_threads(1)
    if arguments[0] == "--cold":
        os.write(int(arguments[1]), b"r")
        become_worker(int(arguments[1]), os.dup(1), json.loads(arguments[3]), settings)
    with contextlib.suppress(OSError):
        confine.prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)
        confine.prctl(PR_SET_CHILD_SUBREAPER, 1)
    warm_up()
    gc.collect()
    gc.freeze()
    Forker(socket.socket(fileno=int(arguments[1])), settings).serve()


def warm_up() -> None:
    """Run once what student code will use, so that a fork finds it imported: first uses load hundreds of modules."""
    for name in PRELOAD:
        importlib.import_module(name)

    import numpy
    import torch

    from . import facts, worker

    facts.facts_of(b"import torch\nx = torch.zeros(2)\n", "x.py")
    worker.seed_everything(0)
    parameter = torch.nn.Parameter(torch.randn(3, 3))
    parameter.grad = torch.ones(3, 3)
    torch.optim.SGD([parameter], lr=0.1).step()
    square = torch.randn(2, 2, dtype=torch.double, requires_grad=True)
    torch.autograd.gradcheck(lambda x: x @ x, (square,))
    repr(parameter), str(square.detach()), numpy.sqrt(2.0), torch.einsum("ij,jk->ik", parameter, parameter)
    torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())(torch.randn(1, 2)).sum().backward()
    torch.nn.functional.cross_entropy(torch.randn(2, 3), torch.tensor([0, 1]))
    with contextlib.suppress(RuntimeError):
        torch.zeros(2) @ torch.zeros(3)
    with contextlib.suppress(AssertionError):
        torch.testing.assert_close(torch.zeros(2), torch.ones(2))


class Forker:
    """Forks workers and ends them, as the grader asks over a control socket; replies carry their request's number."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]):
        self.control, self.settings = control, settings
        self.running: set[int] = set()
        self.ended: dict[int, tuple[int, float]] = {}  # wait status and processor seconds

    def serve(self) -> None:
        """Answer until the grader closes the control socket."""
        self.control.send(json.dumps({"number": "ready", "tasks": _tasks()}).encode())
        while True:
            try:
                message, ancillary, _, _ = self.control.recvmsg(1 << 16, socket.CMSG_SPACE(64))
            except ConnectionResetError:
                return
            if not message:
                return
            request = json.loads(message)
            if request["op"] == "fork":
                reply = self.fork(request["limits"], descriptors_of(ancillary))
            else:
                reply = self.end(request["pid"], request["grace"])
            try:
                self.control.send(json.dumps({"number": request["number"], **reply}).encode())
            except OSError:  # the grader has gone
                return

    def fork(self, limits: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Fork a worker around a channel and an output pipe."""
        self.reap_ended()
        if _tasks() not in (1, None):
            raise RuntimeError("the zygote has more than one thread")
        if "namespaces" in self.settings["layers"]:
            with contextlib.suppress(OSError):  # the next child is process 1 of a world of its own: its number says
                confine.new_process_numbers()  # nothing of how many workers there were before
        pid = os.fork()
        if pid == 0:
            channel, output = descriptors
            become_worker(channel, output, limits, self.settings)
        for descriptor in descriptors:
            os.close(descriptor)
        self.running.add(pid)
        return {"pid": pid}

    def end(self, pid: int, grace: float) -> dict[str, Any]:
        """Kill a worker, and whatever it started, and say how it had ended."""
        deadline, killed = time.monotonic() + grace, False
        self.reap_ended()
        while pid not in self.ended:
            if time.monotonic() >= deadline:
                _kill(pid)
                killed = True
            time.sleep(0.001)
            self.reap_ended()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self.sweep()
        status, cpu_seconds = self.ended.pop(pid)
        return {"status": status, "cpu_seconds": cpu_seconds, "killed": killed}

    def reap_ended(self) -> None:
        """Collect the workers that have ended by themselves, and remember how."""
        for pid in list(self.running):
            found, status, usage = os.wait4(pid, os.WNOHANG)
            if found:
                self.running.discard(pid)
                self.ended[pid] = status, usage.ru_utime + usage.ru_stime

    def sweep(self) -> None:
        """Kill what workers left behind: as the subreaper, this process inherits every orphan of theirs."""
        for _ in range(10_000):
            strays = _children() - self.running
            if not strays:
                return
            for pid in strays:
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def become_worker(channel: int, output: int, limits: dict[str, Any], settings: dict[str, Any]) -> None:
    """Turn this process into a worker: own session, three descriptors and a channel, limits, layers; then serve.

    Does not return. The first frame says which layers are in force; no student code is here yet.
    """
    try:
        from . import wire, worker

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.setsid()
        with contextlib.suppress(OSError):
            confine.prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)
        _only_descriptors(channel, output)
        os.environ.clear()
        os.environ.update({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"})
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 (stays open)
        sys.argv = ["worker"]
        sys.stdout, sys.stderr = _text_stream(1), _text_stream(2)
        vars(sys).update(__stdout__=sys.stdout, __stderr__=sys.stderr)
        set_limits(limits)
        _first_to_go()
        worker.seed_everything(0)
        connection = socket.socket(fileno=CHANNEL)
        connection.setblocking(True)
        files, outside = _enter_scratch(limits, settings), settings.get("outside", "")
        report = confine.confine(settings["layers"], settings["grader"], files, outside)
        connection.sendall(b"".join(wire.encode(["ready", report])))
        with contextlib.suppress(ConnectionError):  # the grader has hung up: nobody is left to tell
            worker.serve(connection.recv_into, connection.send)
        os._exit(0)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
        os._exit(70)  # EX_SOFTWARE


def _enter_scratch(limits: dict[str, Any], settings: dict[str, Any]) -> confine.Files | None:
    """Make the scratch folder, if there is one, the working directory, and the place of temporary files."""
    scratch = limits.get("scratch")
    if scratch is None:
        return None
    os.chdir(scratch)
    tempfile.tempdir = scratch
    os.environ.update({"HOME": scratch, "TMPDIR": scratch})
    size = (limits["scratch_mb"] << 20) - 4096  # one file of this size, with its name, is as much as there may be
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return confine.Files(tuple(settings["readable"]), tuple(settings["hidden"]), scratch)


def set_limits(limits: dict[str, Any]) -> None:
    """Bound processor time, memory, files and core dumps of this process."""
    seconds = math.ceil(limits["cpu_seconds"]) + round(time.process_time())  # a cold worker has imported torch by now
    limit_memory(limits["memory_mb"])
    wanted = {
        resource.RLIMIT_CPU: (seconds, seconds),  # SIGKILL: process 1 of a namespace would not hear SIGXCPU
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (16 << 20, 16 << 20),
        resource.RLIMIT_NOFILE: (64, 64),
        resource.RLIMIT_NPROC: (256, 256),  # does not bind root
    }
    for limit, value in wanted.items():
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(limit, value)


def _first_to_go() -> None:
    """Where memory is short, in a small container, this process is ended, not the grader."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("1000")


def limit_memory(megabytes: int) -> None:
    """Bound what this process may map beyond what it has mapped already."""
    memory = _mapped() + (megabytes << 20)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _only_descriptors(channel: int, output: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    # Copies above the targets first: a descriptor may itself be one of them.
    high = [fcntl.fcntl(number, fcntl.F_DUPFD, CHANNEL + 1) for number in (null, output, output, channel)]
    for target, number in enumerate(high):
        os.dup2(number, target, inheritable=False)
    os.closerange(
        CHANNEL + 1,
        max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024) if sys.platform != "linux" else 65536,
    )


def _text_stream(number: int) -> Any:
    return open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _tasks() -> int | None:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def _mapped() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 30


def _children() -> set[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
            return {int(pid) for pid in children.read().split()}
    except OSError:
        return set()


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def descriptors_of(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors that came along with a message."""
    numbers = array.array("i")
    for _, _, data in ancillary:
        numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return list(numbers)


if __name__ == "__main__":
    main(sys.argv[1:])
