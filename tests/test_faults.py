"""Faults: whatever of ours is killed, stopped, or without room or time, every check has an outcome, and files are whole.

A fake grader that knows the protocol and no torch stands in where faults are many; workers, zygotes and the grader meet
theirs for real. More of the like is in `test_sandbox` (how student code may end a worker), `test_wire` (how it may lie),
`test_grading` (a killed session, zygote and grader) and `test_environments` (the command line).
"""

from __future__ import annotations

import ast
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autograder import blame, grader_process, grading, sandbox, transports, wire
from autograder.config import Homework, Limits, load_homework
from autograder.errors import ConfigError, IsolationError, WorkerCrashed, WorkerTimedOut
from autograder.grader import write_event
from autograder.grader_process import GraderProcess
from autograder.grading import Grading
from autograder.results import Outcome
from autograder.subject import Session
from tests.test_grading import MINI, alive, descendants, mini_solution, not_passed, wait_until, zygote_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are watched through /proc")


@pytest.fixture(scope="module")
def mini() -> Homework:
    """The tiny homework."""
    return load_homework(MINI)


def running(words: str) -> list[int]:
    """The processes that have some words in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [int(path.parent.name)] * (words.encode() in path.read_bytes())
        except OSError:
            continue
    return alive(found)


# -- a worker is killed --------------------------------------------------------------------------------------

STUDENT = "def double(x):\n    return 2 * x\ndef loop():\n    while True: pass\n"
LARGE = torch.ones(4 << 20)  # does not fit into a socket's buffer
# What is done, the step of the grader's side before which the worker is killed, which time, and whether the worker is
# stopped until then, so that it cannot be quicker.
POINTS = {
    "before-the-first-request": ("load", "_send", 1, False),
    "between-calls": ("call", "_send", 1, False),
    "in-a-request": ("large call", "_wait", 3, True),
    "before-the-reply": ("call", "_read_into", 1, True),
    "in-the-reply": ("large call", "_read_into", 2, False),
    "in-a-backward": ("backward", "_read_into", 1, True),
    "in-a-put": ("put", "_wait", 3, True),
}


class Conversation:
    """A worker with a student's module."""

    def __init__(self, launcher: sandbox.Launcher, **limits: float):
        self.worker: Any = launcher.take(Limits(**{"cpu_seconds": 10, "memory_mb": 512, **limits}))
        self.session = Session(self.worker)

    def load(self) -> Any:
        """Send the module and return it."""
        entry = {"file": "student.py", "source": STUDENT, "support": None, "names": []}
        self.session.call("load", {"student": entry})
        return self.session.call("module", "student")

    def kill(self) -> None:
        """Kill the worker and wait until it is gone."""
        os.kill(self.worker.pid, signal.SIGKILL)
        wait_until(lambda: not alive([self.worker.pid]))


@pytest.fixture
def begin(zygote) -> Iterator[Callable[..., Conversation]]:
    """Take workers of one zygote, and close them afterwards."""
    begun = []

    def begin(**limits: float) -> Conversation:
        begun.append(Conversation(zygote, **limits))
        return begun[-1]

    yield begin
    for conversation in begun:
        conversation.worker.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_worker_is_a_crash(begin, monkeypatch, point):
    """At any point of the protocol; asked again it says the same, it closes, and the next one works."""
    act, step, nth, stopped = POINTS[point]
    killed = begin()
    acts = {"load": killed.load}
    if act != "load":
        double, X = killed.load().double, torch.ones(2, requires_grad=True)
        loss = double(X).sum()
        acts = {"call": lambda: double(X), "large call": lambda: double(LARGE)}
        acts |= {"backward": loss.backward, "put": lambda: killed.session.call("put", LARGE)}
    taken, original = itertools.count(1), getattr(killed.worker, step)

    def counting(*arguments: Any) -> Any:
        if next(taken) == nth:
            killed.kill()
        return original(*arguments)

    if stopped:
        os.kill(killed.worker.pid, signal.SIGSTOP)
    monkeypatch.setattr(killed.worker, step, counting)
    with pytest.raises(WorkerCrashed, match="the Python process was killed") as caught:
        acts[act]()
    assert blame.judge(caught.value).outcome is Outcome.CRASHED
    with pytest.raises(WorkerCrashed):
        killed.session.call("ping")
    assert killed.worker.close() == ""
    assert begin().load().double(2) == 4


def test_a_worker_killed_before_it_is_taken_is_a_crash(zygote, begin):
    """The one that was forked ahead of time says so when it is used, and the one after it works."""
    others = set(descendants(zygote.process.pid))
    others.add(begin().worker.pid)
    wait_until(lambda: not others.issuperset(descendants(zygote.process.pid)))
    (waiting,) = set(descendants(zygote.process.pid)) - others
    os.kill(waiting, signal.SIGKILL)
    wait_until(lambda: not alive([waiting]))
    with pytest.raises((WorkerCrashed, IsolationError)):  # the latter if it had not yet said that it was ready
        begin().load()
    assert begin().load().double(2) == 4


def test_a_reply_that_ends_anywhere_is_a_crash():
    """Each beginning of a frame, down to nothing at all; the whole frame is a reply."""
    frame = b"".join(wire.encode(["nonce", torch.ones(3)]))
    for end in range(len(frame) + 1):
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        worker = transports.Process(0, ours, read, Limits(), lambda *_: transports.Ended(signal.SIGKILL, 0.0, False))
        theirs.sendall(frame[:end])
        theirs.shutdown(socket.SHUT_WR)
        if end < len(frame):
            with pytest.raises(WorkerCrashed, match="killed"):
                worker.exchange([b"request"], wire.MAX_BODY)
        else:
            assert wire.decode(*worker.exchange([b"request"], wire.MAX_BODY))[0] == "nonce"
            worker.close()
        theirs.close()
        os.close(write)


# -- clocks --------------------------------------------------------------------------------------------------


DATED = ("gradebook", "intake", "metadata")  # have times of day, which people read and nothing waits for


def test_only_clocks_that_nobody_sets_are_read():
    """No module asks for the time of day: deadlines and durations are of monotonic clocks."""
    modules = [path for path in Path(grading.__file__).parent.glob("*.py") if path.stem not in DATED]
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in ("time", "datetime"), path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "datetime", path
                assert node.value.id != "time" or node.attr in ("monotonic", "perf_counter", "process_time", "sleep")


@pytest.mark.parametrize("hours", [0, 10], ids=["stands-still", "leaps"])
def test_a_machine_that_sleeps_is_no_hang(begin, monkeypatch, hours):
    """A monotonic clock that stands still leaves the processor's limit; one that leaps ends the call: a verdict."""
    loop, now = begin(cpu_seconds=1).load().loop, time.monotonic()
    monkeypatch.setattr(transports, "time", SimpleNamespace(monotonic=lambda: now + hours * 3600))
    with pytest.raises(WorkerTimedOut, match="within 60 seconds" if hours else "processor time"):
        loop()
    monkeypatch.undo()
    assert begin().load().double(2) == 4


# -- the supervisor, and a fake grader -----------------------------------------------------------------------

FAKE = """
import json, os, signal, sys
from pathlib import Path

FAULTS, OPTIONS = Path(__file__).with_name("faults"), json.loads(sys.argv[1])
FIELDS = {"points": 1, "visibility": "public"}
CHECKS = [{"id": name, "question": name, "title": name, **FIELDS} for name in ("square", "cube", "both")]

def emit(event, **more):
    line = json.dumps({"event": event, **more}).encode() + b"\\n"
    when, victim, act, *later = FAULTS.read_text().split() + 3 * [""]
    if when != event:
        act = ""
    else:  # once
        FAULTS.write_text(" ".join(later))
    os.write(1, b"\\n" + (line[:30] if act == "HALF" else line))
    if act:
        pid = os.getpgrp() if victim == "grader" else os.getpid()
        os.kill(pid, signal.SIGKILL if act == "HALF" else getattr(signal, act))

def session(request):
    if request["op"] == "collect":
        return emit("collected", checks=CHECKS)
    if request["op"] == "submission":
        for file in request["files"]:
            emit("loading", file=file)
        emit("inspected", gates={}, notes=[])
    for check in CHECKS:
        if check["id"] in request["checks"]:
            emit("started", check=check["id"], limits=OPTIONS["limits"])
            outcome, message = request.get("problems", {}).get(check["id"] + ".py", ("PASSED", ""))
            emit("finished", result={"check": check, "outcome": outcome, "message": message, "frames": []})

emit("ready", isolation={"layers": os.environ.get("FAKE_LAYERS", "").split()}, versions={})
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        session(json.loads(line))
        os._exit(0)
    emit("child", pid=pid)
    emit("ended", code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), log="")
"""


class Fake:
    """Grading with a fake grader, in which faults happen one after the other.

    A fault is the event after which it comes, its victim, and a signal; HALF is SIGKILL in the middle of the event.
    """

    def __init__(self, homework: Homework, folder: Path):
        self.homework, self.program, self.faults = homework, folder / "fake_grader.py", folder / "faults"
        self.program.write_text(FAKE, encoding="utf-8")
        self.faults.write_text("", encoding="utf-8")

    def start(self, *faults: str) -> Grading:
        """Start; what is stuck is given up within a second."""
        self.faults.write_text(" ".join(faults), encoding="utf-8")
        return Grading(self.homework, "process", {"cpu_seconds": 1, "wall_seconds": 0.1})

    def grade(self, *faults: str) -> Any:
        """Grade a submission, and afterwards another one without a fault."""
        with self.start() as graded:
            self.faults.write_text(" ".join(faults), encoding="utf-8")
            result = graded.grade(mini_solution(self.homework))
            assert not self.faults.read_text(encoding="utf-8").strip()
            assert graded.grade(mini_solution(self.homework)).score == 25
        return result


@pytest.fixture
def fake(mini, tmp_path, monkeypatch) -> Iterator[Fake]:
    """A fake grader; afterwards nothing of it is left running."""
    fake = Fake(mini, tmp_path)
    monkeypatch.setattr(grader_process, "GRADER", (sys.executable, "-S", str(fake.program)))
    monkeypatch.setattr(grader_process, "PATIENCE", 0.4)
    yield fake
    wait_until(lambda: not running(str(fake.program)))


FAULTS = [
    *itertools.product(("loading", "inspected", "started", "finished"), ["session"], ("SIGKILL", "HALF")),
    *itertools.product(("child", "loading", "started", "finished", "ended"), ["grader"], ("SIGKILL", "SIGTERM")),
    *itertools.product(("child", "started"), ["grader"], ["SIGSTOP"]),
    ("loading", "session", "SIGSTOP"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=" ".join)
def test_one_fault_costs_no_verdict(fake, fault):
    """A session or the grader that dies, or is stuck, at any event: what is finished is kept, the rest is run again."""
    result = fake.grade(*fault)
    assert not not_passed(result)
    assert (result.score, len(result.checks)) == (25, 3)


def test_deaths_between_checks_are_not_added_up(fake):
    """Sessions that get on before they die are started again as often as it takes."""
    assert fake.grade(*["finished session SIGKILL"] * 2).score == 25


def test_a_stopped_grader_that_takes_no_request_is_replaced(fake):
    """A submission that does not fit into the pipe is no trap for the supervisor."""
    with fake.start() as graded:
        os.kill(graded.grader.process.pid, signal.SIGSTOP)
        assert graded.grade(mini_solution(fake.homework, helper="#" * (1 << 20))).score == 25


def test_a_clock_that_leaps_costs_no_verdict(fake, monkeypatch):
    """Ten hours at once, at any time that the supervisor looks at it: what was innocent runs again."""
    for leap in range(1, 40, 6):
        calls = itertools.count(leap - 40)
        clock = SimpleNamespace(
            monotonic=lambda calls=calls: time.monotonic() + 36_000 * (next(calls) >= 0), perf_counter=time.perf_counter
        )
        with fake.start() as graded, monkeypatch.context() as patch:
            patch.setattr(grading, "time", clock)
            assert graded.grade(mini_solution(fake.homework)).score == 25


@pytest.mark.parametrize("place", ["loading", "started"])
@pytest.mark.parametrize(
    ("layers", "act", "solution", "outcome"),
    [
        ("process", "SIGKILL", [], Outcome.CRASHED),
        ("process seccomp", "SIGKILL", [], Outcome.INTERNAL_ERROR),
        ("process", "SIGKILL", ["started session SIGKILL"], Outcome.INTERNAL_ERROR),
        ("process", "SIGSTOP", [], Outcome.TIMED_OUT),
    ],
)
def test_the_second_death_at_one_place_is_a_verdict(fake, monkeypatch, place, layers, act, solution, outcome):
    """It is the student's only if the solution lives there, and if student code can end other processes at all."""
    monkeypatch.setenv("FAKE_LAYERS", layers)
    result = fake.grade(*[f"{place} session {act}"] * 2, *solution)
    (check,) = not_passed(result).values()
    assert (check.check.question, check.outcome) == ("square", outcome)
    assert result.score == (None if outcome is Outcome.INTERNAL_ERROR else 15)


def test_a_grader_that_gets_nowhere_withholds_the_score(fake):
    """Two deaths without progress, at no check and no file: what remains is INTERNAL_ERROR, and no zero."""
    result = fake.grade(*["inspected session SIGKILL"] * 2)
    assert set(result.outcomes().values()) == {Outcome.INTERNAL_ERROR}
    assert result.score is None


def test_checks_are_collected_in_spite_of_a_death(fake):
    """Once more is tried; then the error says what happened, not that checks are missing."""
    with fake.start("collected grader HALF") as graded:
        assert len(graded.checks) == 3
    with pytest.raises(ConfigError, match="cannot be collected: the grader died, twice"):
        fake.start("collected session HALF", "collected grader HALF")


@pytest.mark.parametrize("program", ["import time; time.sleep(600)", "raise SystemExit(1)", ""])
def test_a_grader_that_does_not_start_is_an_error(fake, monkeypatch, program):
    """It is silent, it ends, or there is no such program: one line, and it is ended."""
    command = (sys.executable, "-c", program, str(fake.program)) if program else (str(fake.faults),)
    monkeypatch.setattr(grader_process, "GRADER", command)
    monkeypatch.setattr(grader_process, "START_SECONDS", 0.5)
    with pytest.raises(IsolationError, match=r"^the grader did not start: .*$"):
        fake.start()


def test_an_event_begins_on_a_line_of_its_own():
    """What a killed session has left unfinished spoils no event but its own."""
    read, write = os.pipe()
    write_event(write, {"event": "one"})
    os.write(write, b'{"event": "unfin')
    write_event(write, {"event": "two"})
    os.close(write)
    process = GraderProcess.__new__(GraderProcess)
    with open(read, "rb") as events:
        process.buffer, process.process = b"", SimpleNamespace(stdout=events)
        assert [process.next_event(9), process.next_event(9)] == [{"event": "one"}, {"event": "two"}]


# -- workers, zygotes and the grader while grading -----------------------------------------------------------


@pytest.fixture(scope="module")
def real(mini: Homework) -> Iterator[Grading]:
    """One real grader, which outlives what happens to it."""
    with Grading(mini, "process") as graded:
        yield graded


@pytest.fixture
def at(monkeypatch) -> Callable[..., list[Any]]:
    """Do something when the supervisor reads the nth event of a kind, counted from the last thing that was done."""

    def at(*steps: tuple[str, int, Callable[[], Any]]) -> list[Any]:
        left, seen, read = list(steps), [], GraderProcess.next_event

        def next_event(process: GraderProcess, seconds: float) -> dict[str, Any] | None:
            event = read(process, seconds)
            seen.append(event["event"] if event else "")
            if left and seen.count(left[0][0]) == left[0][1]:
                left.pop(0)[2]()
                seen.clear()
            return event

        monkeypatch.setattr(GraderProcess, "next_event", next_event)
        return left

    return at


@pytest.mark.parametrize("moment", [("started", 1), ("started", 4), ("finished", 6), ("started", 13)], ids=str)
def test_workers_killed_from_outside_cost_their_own_checks(mini, real, at, moment):
    """The worker of the running check and the one that waits for the next: at most two checks, all others pass."""
    left = at((*moment, lambda: [os.kill(pid, signal.SIGKILL) for pid in descendants(zygote_of(real))]))
    result = real.grade(mini_solution(mini))
    assert not left and len(result.checks) == 13
    assert len(not_passed(result)) <= 2
    assert set(result.outcomes().values()) <= {Outcome.PASSED, Outcome.CRASHED, Outcome.INTERNAL_ERROR}


def test_zygotes_and_graders_that_die_one_after_the_other_cost_nothing(mini, real, at):
    """A zygote killed during a check, between two, and while it is asked for a worker; a terminated grader."""

    def send(number: int, pid_of: Callable[[Grading], int]) -> Callable[[], None]:
        return lambda: os.kill(pid_of(real), number)

    kill, stop = send(signal.SIGKILL, zygote_of), send(signal.SIGSTOP, zygote_of)
    terminate = send(signal.SIGTERM, lambda graded: graded.grader.process.pid)
    left = at(
        ("started", 2, kill),
        ("finished", 3, kill),
        ("started", 2, stop),
        ("started", 1, kill),
        ("loading", 2, terminate),
    )
    assert real.grade(mini_solution(mini)).score == 25
    assert not left
