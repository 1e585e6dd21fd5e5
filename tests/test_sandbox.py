"""Workers: what they start with, how they may end, and that the next one starts as if nothing had been."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder import blame, sandbox, zygote
from autograder.config import Limits
from autograder.errors import (
    RemoteError,
    WireError,
    WorkerCrashed,
    WorkerTimedOut,
    ZygoteGone,
)
from autograder.results import Outcome
from autograder.subject import Session
from autograder.transports import OUTPUT_KEPT, Ended, explain
from tests.conftest import Begin, beginning

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked from a zygote on Linux only")
PATIENCE = 60  # seconds to wait for what happens at once on a quiet machine


@pytest.fixture
def begin(zygote: sandbox.Launcher) -> Iterator[Begin]:
    """Start a worker on some student code; returns the student's module and the worker."""
    with beginning(zygote) as begin:
        yield begin


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true before patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def state(pid: int) -> str:
    """A process's state as /proc shows it; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


# -- what a worker starts with -------------------------------------------------------------------------------


def test_a_worker_leads_its_own_session(begin):
    """It is in a session and process group of its own, so that a signal to either reaches nobody else."""
    student, worker = begin("import os\ndef ids():\n    return os.getpid(), os.getsid(0), os.getpgid(0)")
    assert student.ids() == (worker.pid,) * 3
    assert worker.pid != os.getsid(0)


def test_a_worker_has_a_clean_environment(begin):
    """Neither Python's nor the kernel's idea of its environment holds anything of the grader's."""
    student, _ = begin(
        "import os, sys\ndef seen():\n    return dict(os.environ), sys.argv, os.getcwd(), sys.stdin.read()\n"
        "def kernel():\n    return open('/proc/self/environ').read()"
    )
    assert student.seen() == (
        {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
        ["worker"],
        "/",
        "",
    )
    names = {entry.partition("=")[0] for entry in student.kernel().split("\0") if entry}
    assert names <= {
        "PATH",
        "LANG",
        "PYTHONHASHSEED",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        *zygote.HUGE_PAGES,
    }


def test_a_worker_has_four_descriptors(begin):
    """Standard input is empty, output and error are the pipe, and 3 is the channel; nothing else is open."""
    student, _ = begin(
        "import os\ndef is_open(n):\n    try:\n        return bool(os.fstat(n))\n"
        "    except OSError:\n        return False\n"
        "def opened():\n    return [n for n in range(2000) if is_open(n)]"
    )
    assert student.opened() == [0, 1, 2, 3]


def test_a_worker_has_limits(begin):
    """Processor time, memory, file size, descriptors and core dumps are bounded."""
    names = ("CPU", "AS", "FSIZE", "NOFILE", "CORE")
    source = "import resource as r\ndef limit(name):\n    return r.getrlimit(getattr(r, f'RLIMIT_{name}'))"
    student, _ = begin(source, cpu_seconds=3)
    found = {name: student.limit(name) for name in names}
    assert found["CPU"] == (3, 3)
    assert found["CORE"] == (0, 0)
    assert all(hard not in (-1, resource.RLIM_INFINITY) for _, hard in found.values())


def test_every_worker_draws_the_same(begin):
    """Each starts from the same seeds, whatever the one before it drew, and strings hash alike in each."""
    source = (
        "import torch, numpy, random, sys\n"
        "def draw():\n"
        "    return torch.rand(()).item(), float(numpy.random.rand()), random.random(), hash('word')\n"
        "def randomised():\n    return sys.flags.hash_randomization"
    )
    first, _ = begin(source)
    drawn, again = first.draw(), first.draw()
    second, _ = begin(source)
    assert drawn != again
    assert second.draw() == drawn
    assert second.randomised() == 0


def test_a_worker_sees_nothing_of_the_last_one(begin):
    """Modules, attributes, default dtype and thread state that one leaves are not there in the next."""
    student, worker = begin(
        "import builtins, sys, torch\ndef stain():\n"
        "    builtins.stained = torch.stained = sys.modules['stained'] = sys\n"
        "    torch.set_default_dtype(torch.float64)\n"
        "    torch.Tensor.sum = None"
    )
    student.stain()
    worker.close()
    student, _ = begin(
        "import builtins, sys, torch\ndef stains():\n"
        "    stained = [hasattr(builtins, 'stained'), hasattr(torch, 'stained'), 'stained' in sys.modules]\n"
        "    return [*stained, torch.get_default_dtype() != torch.float32, torch.Tensor.sum is None]"
    )
    assert not any(student.stains())


def test_limits_are_the_checks_own(begin):
    """A worker forked ahead of time under other limits is not used."""
    source = "import resource\ndef cpu():\n    return resource.getrlimit(resource.RLIMIT_CPU)[0]"
    assert [begin(source, cpu_seconds=seconds)[0].cpu() for seconds in (4, 7, 7)] == [4, 7, 7]


# -- how a worker may end ------------------------------------------------------------------------------------

FRAME = "b'AGW1' + struct.pack('<IQ', 2, 0) + b'[]'"
ENDS: dict[str, tuple[str, type[BaseException], str]] = {
    "exit": ("os._exit(0)", WorkerCrashed, "exit status 0"),
    "exit-3": ("os._exit(3)", WorkerCrashed, "exit status 3"),
    "exit-in-a-thread": (
        "threading.Thread(target=os._exit, args=[4]).start(); time.sleep(60)",
        WorkerCrashed,
        "status 4",
    ),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", WorkerCrashed, "killed"),
    "kill-group": ("os.killpg(0, signal.SIGTERM); time.sleep(60)", WorkerCrashed, "Terminated"),
    "real-time-signal": ("os.kill(os.getpid(), 40)", WorkerCrashed, "crashed"),
    "segfault": ("ctypes.string_at(0)", WorkerCrashed, "Segmentation fault"),
    "abort": ("os.abort()", WorkerCrashed, "Aborted"),
    "close-3": ("os.close(3)", WorkerCrashed, "exit status|closed"),  # the latter where it is slow to notice
    "close-3-and-stay": ("os.close(3); time.sleep(60)", WorkerCrashed, "closed"),
    "garbage": ("os.write(3, b'hello there, grader, ' * 9)", WireError, "prefix"),
    "half-a-frame": (
        "os.write(3, b'AGW1' + struct.pack('<IQ', 99, 0)); os._exit(0)",
        WorkerCrashed,
        "exit status 0",
    ),
    "huge-claim": ("os.write(3, b'AGW1' + struct.pack('<IQ', 2, 1 << 40))", WireError, "prefix"),
    "forged-frame": (f"os.write(3, {FRAME})", WireError, "frame"),
    "forged-by-a-child": (
        f"os.fork() or os._exit(os.write(3, {FRAME}) * 0); time.sleep(60)",
        WireError,
        "frame",
    ),
    "exec": ("os.execv('/bin/true', ['true'])", WorkerCrashed, "exit status 0"),
    "loop": ("while True: pass", WorkerTimedOut, "processor"),
    "loop-that-ignores": (
        "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n    while True: pass",
        WorkerTimedOut,
        "processor",
    ),
    "endless-output": ("while True: print('x' * 10_000)", WorkerTimedOut, "processor"),
}
IMPORTS = "import ctypes, os, signal, struct, sys, threading, time\n"


@pytest.mark.parametrize("name", ENDS)
def test_an_end_is_told_by_its_cause(begin, name):
    """However a worker ends, the grader says how, says so again when asked again, and goes on to the next."""
    body, kind, words = ENDS[name]
    student, _ = begin(f"{IMPORTS}def go():\n    {body}", cpu_seconds=1)
    with pytest.raises(kind, match=words) as caught:
        student.go()
    with pytest.raises(kind) as again:
        student.fine()
    assert again.value is caught.value
    assert begin("def fine():\n    return 1")[0].fine() == 1


def test_a_surplus_frame_ends_the_worker(begin):
    """A second reply to one request is noticed at once, or as the wrong reply to the next."""
    student, _ = begin(
        f"{IMPORTS}def go():\n    def late():\n        time.sleep(0.2)\n        os.write(3, {FRAME})\n"
        "    threading.Thread(target=late, daemon=True).start()\ndef wait():\n    time.sleep(0.4)"
    )
    with pytest.raises(WireError):
        student.go()
        student.wait()


def test_a_sleeper_meets_the_wall_limit(begin):
    """Sleep uses no processor time; the wall limit ends it."""
    with pytest.raises(WorkerTimedOut, match="within 5 seconds"):
        begin("import time\ndef go():\n    time.sleep(600)", wall_seconds=5)[0].go()
    assert begin("def fine():\n    return 1")[0].fine() == 1


def test_a_reply_in_drops_meets_the_wall_limit(begin):
    """A reply that comes byte by byte has no longer than any other."""
    source = (
        f"{IMPORTS}def go():\n    os.write(3, b'AGW1' + struct.pack('<IQ', 1 << 20, 0))\n"
        "    while True:\n        time.sleep(0.05)\n        os.write(3, b' ')"
    )
    with pytest.raises(WorkerTimedOut):
        begin(source, wall_seconds=5)[0].go()


def test_sys_exit_in_a_thread_ends_the_thread(begin):
    """SystemExit in a thread of the student's is no end of the worker."""
    student, _ = begin(
        "import sys, threading\ndef go():\n    t = threading.Thread(target=sys.exit, args=[3])\n"
        "    t.start()\n    t.join()\n    return 5"
    )
    assert student.go() == 5


@pytest.mark.parametrize(
    "body",
    [
        "return len(bytes(1 << 30))",
        "return torch.zeros(1 << 28).sum().item()",
        "return len([0.5] * (1 << 27))",
    ],
    ids=["bytes", "torch", "list"],
)
def test_memory_beyond_the_limit_is_an_exception(begin, body):
    """Python and torch each say in their way that memory is used up: OUT_OF_MEMORY; the worker lives on."""
    student, _ = begin(f"import torch\ndef go():\n    {body}\ndef fine():\n    return 1", memory_mb=256)
    with pytest.raises(RemoteError) as caught:
        student.go()
    assert blame.judge(caught.value).outcome is Outcome.OUT_OF_MEMORY
    assert student.fine() == 1


# -- what a worker prints ------------------------------------------------------------------------------------


def test_output_is_captured_apart_from_the_wire(begin):
    """Standard output and error, from Python or below it, are the student's text."""
    student, worker = begin(
        "import os, sys\ndef go():\n    print('out')\n    sys.stderr.write('err\\n')\n"
        "    os.write(1, b'raw \\xff\\n')\n    return 1"
    )
    assert student.go() == 1
    assert worker.close() == "out\nerr\nraw \N{REPLACEMENT CHARACTER}\n"


def test_much_output_is_drained_and_cut(begin):
    """A megabyte printed before the reply is no deadlock; the first part is kept, and how much there was."""
    student, worker = begin("def go():\n    print('x' * (1 << 20))\n    return 1")
    assert student.go() == 1
    text = worker.close()
    assert text.startswith("x" * OUTPUT_KEPT + "\n[cut: ")
    assert len(text) < OUTPUT_KEPT + 100


def test_output_while_nobody_listens_is_no_deadlock(begin):
    """Output of a thread between two calls waits in the pipe, and the next call takes it in."""
    student, _ = begin(
        "import os, threading\nt = threading.Thread(target=os.write, args=[1, b'y' * 300_000])\n"
        "def go():\n    t.start()\ndef join():\n    t.join()\n    return 2"
    )
    student.go()
    assert student.join() == 2


def test_closed_output_is_the_students_business(begin):
    """Student code may close its standard output and error, or put something odd in their place."""
    student, worker = begin(
        "import os, sys\ndef go():\n    os.close(1)\n    os.close(2)\n    sys.stdout = None\n    return 3"
    )
    assert student.go() == 3
    assert student.go is not None
    assert worker.close() == ""


# -- what a worker leaves behind -----------------------------------------------------------------------------

DAEMONS = """
import os, signal, time
def spawn(count):
    read, write = os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.write(write, b"%d\\n" % os.getpid())
                while True:
                    time.sleep(600)
            os._exit(0)
    pids = b""
    while pids.count(b"\\n") < count:
        pids += os.read(read, 10_000)
    return [int(pid) for pid in pids.split()]
def bomb(depth):
    for _ in range(depth):
        os.fork()
    time.sleep(600)
"""


@pytest.mark.parametrize("count", [1, 20])
def test_daemons_do_not_outlive_their_worker(begin, count):
    """Children that detach themselves, session and all, are found and killed."""
    student, worker = begin(DAEMONS)
    pids = student.spawn(count)
    assert len(pids) == count
    assert all(state(pid) for pid in pids)
    worker.close()
    assert eventually(lambda: not any(state(pid) for pid in pids))


def test_a_modest_fork_bomb_is_swept_up(begin, zygote):
    """Sixty-four copies of a worker are a hang; afterwards the zygote has no child but the next worker."""
    with pytest.raises(WorkerTimedOut):
        begin(DAEMONS, wall_seconds=6)[0].bomb(6)
    student, _ = begin("def fine():\n    return 1")
    assert student.fine() == 1
    pid = zygote.process.pid
    assert eventually(lambda: len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) <= 3)


def test_how_a_worker_ended_is_remembered(begin):
    """One that ends while nobody asks anything of it is told by its cause, whatever was forked since."""
    student, worker = begin("import os, threading\ndef go():\n    threading.Timer(0.2, os._exit, [7]).start()")
    student.go()
    assert eventually(lambda: state(worker.pid) in ("Z", ""))
    assert begin("def fine():\n    return 1")[0].fine() == 1
    assert begin("def fine():\n    return 2", cpu_seconds=9)[0].fine() == 2
    with pytest.raises(WorkerCrashed, match="exit status 7"):
        student.go()


# -- launchers -----------------------------------------------------------------------------------------------


def test_a_dead_zygote_is_the_supervisors_business(begin):
    """Whoever needs the zygote meets ZygoteGone: at the next call and at the next worker."""
    launcher = sandbox.Zygote()
    try:
        worker = launcher.take(Limits())
        session = Session(worker)
        assert launcher.alive()
        launcher.process.kill()
        launcher.process.wait()
        assert not launcher.alive()
        with pytest.raises(ZygoteGone):
            session.call("ping")
            session.call("ping")
        assert worker.close() == ""
        with pytest.raises(ZygoteGone):  # the one that was forked ahead of time, and the one after it
            begin("", launcher)
        with pytest.raises(ZygoteGone):
            begin("", launcher)
        assert eventually(lambda: state(worker.pid) in ("Z", ""))  # an orphan: whether it is collected is up to init
    finally:
        launcher.close()


def test_cold_workers_do_what_forked_ones_do(begin):
    """A new interpreter a worker: the same environment, the same frames, the same ends."""
    source = (
        f"{IMPORTS}def seen():\n    print('hello')\n"
        "    return os.environ['PATH'], os.getcwd(), os.getsid(0)\n"
        "def go():\n    os._exit(3)\ndef loop():\n    while True: pass"
    )
    student, worker = begin(source, sandbox.ColdStart())
    assert student.seen() == ("/usr/bin:/bin", "/", worker.pid)
    with pytest.raises(WorkerCrashed, match="exit status 3"):
        student.go()
    assert worker.close() == "hello\n"
    student, worker = begin(source, sandbox.ColdStart(), cpu_seconds=1)
    with pytest.raises(WorkerTimedOut, match="processor"):
        student.loop()
    assert state(worker.pid) == ""


def test_layers_are_reported(zygote):
    """Results say what was in force; JSON, because they are sent."""
    nothing = {"mode": "none", "layers": [], "absent": {}}
    assert json.loads(json.dumps(sandbox.isolation("none", sandbox.SameProcess()))) == nothing
    assert sandbox.isolation("process", zygote)["layers"] == ["process", "limits"]


SECONDS = Limits(cpu_seconds=10)


@pytest.mark.parametrize(
    ("status", "used", "killed", "kind", "words"),
    [
        (0, 1.0, False, WorkerCrashed, "exit status 0"),
        (3 << 8, 1.0, False, WorkerCrashed, "exit status 3"),
        (3 << 8, 11.0, False, WorkerCrashed, "exit status 3"),
        (signal.SIGXCPU, 10.0, False, WorkerTimedOut, "10 seconds of processor time"),
        (signal.SIGXCPU, 0.0, False, WorkerTimedOut, "processor"),
        (signal.SIGKILL, 11.0, False, WorkerTimedOut, "processor"),
        (signal.SIGKILL, 1.0, False, WorkerCrashed, "killed"),
        (signal.SIGKILL, 1.0, True, type(None), ""),
        (signal.SIGSEGV, 1.0, False, WorkerCrashed, "Segmentation fault"),
        (signal.SIGSEGV | 0x80, 1.0, False, WorkerCrashed, "Segmentation fault"),
        (signal.SIGABRT, 11.0, False, WorkerCrashed, "Aborted"),
        (signal.SIGBUS, 1.0, True, WorkerCrashed, "Bus error"),
        (40, 1.0, False, WorkerCrashed, "crashed"),
    ],
)
def test_what_a_wait_status_means(status, used, killed, kind, words):
    """The table of `explain`: a status, the processor time, and whether we did it ourselves."""
    found = explain(Ended(status, used, killed), SECONDS)
    assert type(found) is kind
    assert words in str(found)


def test_no_worker_waits_when_a_launcher_has_started():
    """Sessions are forked from the process that started the launcher: one that waited would be used by each of them."""
    launcher = sandbox.Zygote(sandbox.WANTED["sandbox"])
    assert launcher.waiting is None
    launcher.close()


def test_a_zygote_does_not_wear_out():
    """After many workers, neither side holds more descriptors, processes, replies or memory than after a few."""
    launcher = sandbox.Zygote(("user", "landlock", "seccomp"))

    def use(count: int) -> tuple[int, int, int]:
        for _ in range(count):
            worker = launcher.take(SECONDS)
            Session(worker).call("ping")
            worker.close()
        launcher.discard()
        held = Path(f"/proc/{launcher.process.pid}/fd"), Path("/proc/self/fd")
        open_here, open_there = (len(list(folder.iterdir())) for folder in held)
        return open_here, open_there, len(launcher.replies) + len(launcher.unwanted)

    try:
        few = use(10)
        memory = resident(launcher.process.pid)
        many = use(120)
        assert all(after <= before + 1 for before, after in zip(few, many, strict=True)), (few, many)
        assert resident(launcher.process.pid) < memory * 1.05
    finally:
        launcher.close()


def resident(pid: int) -> int:
    """The memory that a process holds, in pages."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
