"""The relay: workers behind it behave like others, and whatever the inside does, the outside neither hangs nor grows.

No container is needed: the inside is an ordinary process. `tests/containers` has the tests with real ones.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from autograder import containers, multiplex, relay, sandbox, wire
from autograder.config import Homework, Limits, load_homework
from autograder.errors import IsolationError, WireError, WorkerCrashed, WorkerLost, WorkerTimedOut, ZygoteGone
from autograder.grading import Grading
from autograder.subject import Session
from autograder.transports import OUTPUT_KEPT
from tests.conftest import Begin, beginning
from tests.relayed import Engine, Lying, Relayed, alive, children, resident_mb, tree
from tests.test_grading import MINI, mini_solution

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked from a zygote on Linux only")
PATIENCE = 60  # seconds to wait for what happens at once on a quiet machine


@pytest.fixture(scope="module")
def relayed() -> Iterator[Relayed]:
    """One launcher with a relay."""
    launcher = Relayed()
    launcher.begin()
    yield launcher
    launcher.close()


@pytest.fixture
def begin(relayed: Relayed) -> Iterator[Begin]:
    """Start a worker on some student code; returns the student's module and the worker."""
    with beginning(relayed) as begin:
        yield begin


@pytest.fixture
def engine(tmp_path, monkeypatch) -> Iterator[Callable[..., Engine]]:
    """Put a program in docker's place."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(containers, "ENGINES", ("docker",))
    for name in (containers.ENGINE, containers.IMAGE):
        monkeypatch.delenv(name, raising=False)
    containers.choose.cache_clear()
    yield lambda **how: Engine(tmp_path, **how)
    containers.choose.cache_clear()


@pytest.fixture(scope="module")
def mini() -> Homework:
    """The tiny homework."""
    return load_homework(MINI)


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true before patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


# -- workers behind it ---------------------------------------------------------------------------------------


def test_values_cross(begin):
    """Numbers, and a tensor that is larger than any window or buffer."""
    student, _ = begin("def double(x):\n    return 2 * x")
    assert student.double(21) == 42
    large = torch.randn(3 << 20)
    assert torch.equal(student.double(large), 2 * large)


def test_the_layers_inside_are_reported(relayed):
    """What the workers' own probes said, and what is around them."""
    assert {"undumpable", "landlock", "seccomp", "container"} <= relayed.layers.keys()
    assert relayed.layers["container"] == "not asked for"
    assert relayed.layers["undumpable"] == ""
    assert relayed.around["versions"]["torch"] == torch.__version__


@pytest.mark.parametrize("lines", [1, 1000], ids=["little", "much"])
def test_what_was_printed_comes_before_the_answer(begin, lines):
    """Output and answers take different streams, but all that was printed is there when the answer is."""
    for _ in range(20 if lines == 1 else 2):
        student, worker = begin(f"def go():\n    for _ in range({lines}):\n        print('x' * 999)\n    return 1")
        assert student.go() == 1
        text = worker.close()
        assert text.startswith("x" * 999 + "\n")
        if lines == 1000:
            assert text.endswith("\n[cut: 1000000 characters in all]")
            assert len(text) < OUTPUT_KEPT + 100


ENDS: dict[str, tuple[str, type[BaseException], str]] = {
    "exit": ("os._exit(3)", WorkerCrashed, "exit status 3"),
    "loop": ("while True: pass", WorkerTimedOut, "processor"),
    "segfault": ("ctypes.string_at(0)", WorkerCrashed, "Segmentation fault"),
    "close": ("os.close(3); time.sleep(60)", WorkerCrashed, "closed"),
    "garbage": ("os.write(3, b'hello there, grader, ' * 9)", WireError, "prefix"),
    "garbage-without-end": ("while True: os.write(3, b'x' * 65536)", WireError, "prefix"),
    "flood": ("while True: os.write(1, b'x' * 65536)", WorkerTimedOut, "processor|no answer"),
    "half-a-frame": ("os.write(3, b'AGW1'); os._exit(0)", WorkerCrashed, "exit status 0"),
}


@pytest.mark.parametrize("end", ENDS)
def test_how_a_worker_may_end(begin, end):
    """As it does without a relay; and the next one works."""
    body, kind, words = ENDS[end]
    source = f"import ctypes, os, time\ndef go():\n    {body}\ndef fine():\n    return 1"
    with pytest.raises(kind, match=words):
        begin(source, cpu_seconds=1, wall_seconds=20)[0].go()
    assert begin(source)[0].fine() == 1


def test_frames_on_the_standard_descriptors_are_output(begin):
    """A worker that writes what the two sides say to each other on 0, 1 and 2 has only printed it."""
    reply = multiplex.HEADER.pack(multiplex.CONTROL, 0, 2) + b"{}"
    student, worker = begin(f"import os\ndef go():\n    return [os.write(n, {reply * 99!r}) for n in (0, 1, 2)]")
    assert student.go() == [len(reply) * 99] * 3
    assert len(worker.close()) == 2 * len(reply * 99)
    assert begin("def fine():\n    return 1")[0].fine() == 1


def test_a_sleeper_meets_the_wall_limit(begin):
    """The grader's own clock ends it."""
    with pytest.raises(WorkerTimedOut, match="within 2 seconds"):
        begin("import time\ndef go():\n    time.sleep(600)", wall_seconds=2)[0].go()


def test_one_that_floods_hinders_no_other_and_fills_no_memory(begin, relayed):
    """Output and replies that nobody reads wait in the worker, not in the relay; another worker answers."""
    flood = (
        "import os, threading, time\ndef pour(n):\n    time.sleep(0.5)\n"
        "    while True: os.write(n, bytes(65536))\n"
        "def go(n):\n    threading.Thread(target=pour, args=[n], daemon=True).start()\n    return 1"
    )
    for descriptor in (1, 3):
        student, _ = begin(flood, cpu_seconds=30)
        assert student.go(descriptor) == 1
    fine, _ = begin("def fine(x):\n    return x")
    time.sleep(1.5)  # for the flood to reach as far as it can
    outside = relayed.process.pid
    inside = children(outside)[0]
    for _ in range(50):
        assert fine.fine(1) == 1
    assert resident_mb(outside) < 60 and resident_mb(inside) < 60
    large = torch.ones(1 << 20)
    assert torch.equal(fine.fine(large), large)


def test_a_relay_does_not_wear_out(begin, relayed):
    """After many workers, neither side holds more descriptors than after a few."""
    sides = relayed.process.pid, children(relayed.process.pid)[0]

    def use(count: int) -> list[int]:
        for _ in range(count):
            begin("x = 1")[1].close()
        relayed.discard()
        relayed.take(Limits()).close()
        relayed.discard()
        return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in sides]

    few = use(5)
    many = use(40)
    assert all(after <= before + 2 for before, after in zip(few, many, strict=True)), (few, many)


# -- its end -------------------------------------------------------------------------------------------------


def test_closing_leaves_nothing():
    """The launcher's end is the end of all that was behind it."""
    launcher = Relayed()
    launcher.begin()
    worker = launcher.take(Limits())
    processes = tree(launcher.process.pid)
    assert worker.layers and len(processes) >= 3
    launcher.close()
    with contextlib.suppress(ZygoteGone):
        worker.close()
    assert eventually(lambda: not any(map(alive, processes)))


@pytest.mark.parametrize("victim", [0, 1, 2], ids=["outside", "inside", "zygote"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_whatever_is_killed_the_rest_goes_too(victim, number):
    """The grader finds its zygote gone, at once; nothing stays behind."""
    launcher = Relayed()
    launcher.begin()
    launcher.take(Limits()).close()
    processes = tree(launcher.process.pid)
    os.kill(processes[victim], number)
    assert eventually(lambda: not any(alive(pid) for pid in processes))
    with pytest.raises((WorkerLost, IsolationError)), contextlib.closing(launcher.take(Limits())) as worker:
        Session(worker).call("ping")  # one that was forked ahead may have said its first word
    launcher.close()


def test_a_grader_that_is_killed_leaves_nothing():
    """The relay sees its control socket end, whoever held the other side."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        launcher = Relayed()
        launcher.begin()
        theirs.send(" ".join(map(str, tree(launcher.process.pid))).encode())
        signal.pause()
    theirs.close()
    with ours:
        processes = [int(word) for word in ours.recv(4096).split()]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert len(processes) >= 3
    assert eventually(lambda: not any(map(alive, processes)))


# -- an inside that lies -------------------------------------------------------------------------------------

STARTS = {
    "garbage": "raw(b'hello, this is not the protocol at all')",
    "huge-length": "raw(multiplex.HEADER.pack(multiplex.CONTROL, 0, 1 << 31))",
    "unknown-kind": "put(77, 0)",
    "kind-0": "put(0, 0)",
    "a-stream-before-the-start": "put(multiplex.DATA, 2, b'x')",
    "a-reply-before-the-start": "put(multiplex.CONTROL, 1, {'pid': 1})",
    "no-object": "put(multiplex.CONTROL, 0, [1])",
    "no-json": "put(multiplex.CONTROL, 0, b'{')",
    "deep-json": "put(multiplex.CONTROL, 0, b'[' * 4000)",
    "long-json": "ready(padding='x' * 60000)",
    "another-engine": "ready(engine='0' * 64)",
    "no-engine": "ready(engine=None)",
    "odd-container": "ready(container=[])",
    "odd-versions": "ready(versions={'torch': 'x' * 99})",
    "odd-versions-type": "ready(versions=3)",
    "odd-tasks": "ready(tasks='1')",
    "nothing": "sys.exit()",
    "an-error": "sys.exit('no room, says the engine')",
    "half-a-frame": "raw(b'\\1\\0'); sys.exit()",
}
LIES = {
    "garbage": "raw(b'hello, this is not the protocol at all')",
    "huge-length": "raw(multiplex.HEADER.pack(multiplex.DATA, 2 * number, 1 << 31))",
    "end": "sys.exit()",
    "half-a-frame": "raw(multiplex.HEADER.pack(multiplex.CONTROL, number, 9) + b'{'); sys.exit()",
    "another-ready": "ready()",
    "no-pid": "forked(number, pid='1')",
    "pid-0": "forked(number, pid=0)",
    "pid-true": "forked(number, pid=True)",
    "huge-pid": "forked(number, pid=1 << 40)",
    "a-reply-too-many": "forked(number); forked(number)",
    "a-reply-to-nothing": "forked(number + 9)",
    "data-beyond-the-window": "forked(number)\nfor _ in range(99): put(multiplex.DATA, 2 * number, bytes(65536))",
    "data-without-a-stream": "put(multiplex.DATA, 2 * number + 90, b'x')",
    "output-beyond-the-window": "forked(number)\nfor _ in range(9): put(multiplex.DATA, 2 * number + 1, bytes(65536))",
    "credit-for-nothing": "put(multiplex.CREDIT, 2 * number, b'\\1\\0\\0\\0')",
    "credit-for-an-output": "put(multiplex.CREDIT, 2 * number + 1, b'\\0\\0\\0\\1')",
    "malformed-credit": "put(multiplex.CREDIT, 2 * number, b'')",
    "closed-twice": "put(multiplex.CLOSED, 2 * number); put(multiplex.CLOSED, 2 * number)",
    "data-after-the-end": "put(multiplex.CLOSED, 2 * number); put(multiplex.DATA, 2 * number, b'x')",
}
GREETINGS = {"list": ["ready", [1]], "one": ["ready"], "none": None, "more": ["", {}, 1], "layers": ["", {"user": ""}]}
ENDINGS = {
    "no-status": {"cpu_seconds": 0.0, "killed": True},
    "huge-status": {"status": 1 << 70, "cpu_seconds": 0.0, "killed": True},
    "stopped": {"status": 0x7F, "cpu_seconds": 0.0, "killed": True},
    "negative-status": {"status": -1, "cpu_seconds": 0.0, "killed": True},
    "no-time": {"status": 0, "cpu_seconds": None, "killed": True},
    "not-a-time": {"status": 0, "cpu_seconds": float("nan"), "killed": True},
    "killed-perhaps": {"status": 0, "cpu_seconds": 0.0, "killed": "perhaps"},
}


@pytest.mark.parametrize("start", STARTS)
def test_an_inside_that_starts_with_a_lie_is_refused(start):
    """In one line, and the relay ends."""
    launcher = Lying(STARTS[start])
    with pytest.raises((IsolationError, ZygoteGone)) as caught:
        launcher.begin()
    assert "\n" not in str(caught.value)
    if start == "an-error":
        assert "no room, says the engine" in str(caught.value)
    if start == "another-engine":
        assert "autograder bundle docker" in str(caught.value)
    launcher.close()
    assert launcher.process.returncode == 0


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_the_container(lie):
    """Whatever is wrong with a frame: the worker is lost, the relay ends, and nothing else is raised."""
    launcher = Lying(lie=LIES[lie])
    launcher.begin()
    with pytest.raises((IsolationError, WorkerLost)):
        worker = launcher.take(Limits(wall_seconds=5))
        Session(worker).call("ping")
    assert eventually(lambda: launcher.process.poll() is not None)
    launcher.close()
    assert launcher.process.returncode == 0


@pytest.mark.parametrize("greeting", GREETINGS)
def test_a_worker_that_greets_with_anything_else_is_not_used(greeting):
    """Its first frame crosses the relay as it is, and says which layers it is behind: those of the first, or none."""
    said = b"".join(wire.encode(GREETINGS[greeting]))
    launcher = Lying(lie=f"forked(number); greet(number, {said!r})")
    launcher.begin()
    with pytest.raises(IsolationError):
        launcher.take(Limits(wall_seconds=5))
    launcher.close()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_lie_about_how_a_worker_ended(ending):
    """Every field is looked at before it is used."""
    launcher = Lying(lie=f"put(multiplex.CONTROL, number, {ENDINGS[ending]!r})".replace("nan", "float('nan')"))
    with pytest.raises(multiplex.Violation):
        relay.checked_end(ENDINGS[ending])
    launcher.close()


def test_an_honest_liar_passes():
    """What the lies differ from: with the right answers, the same program is taken for a container."""
    launcher = Lying()
    launcher.begin()
    worker = launcher.take(Limits())
    assert worker.layers == {"container": ""}
    worker.close()
    launcher.close()


def test_text_from_inside_is_one_plain_line():
    """Nothing that it says can draw on the terminal."""
    assert relay.printable("a\x1b[2Jb\nc" + "x" * 999) == "a [2Jb c" + "x" * 292


# -- one container, one submission ---------------------------------------------------------------------------


def test_each_submission_has_a_container_of_its_own(engine, mini):
    """One is started for each, one more may wait; all have ended with the grader, and were removed by the engine."""
    docker = engine()
    with Grading(mini, "container") as grading:
        results = [grading.grade(mini_solution(mini)) for _ in range(3)]
    assert [result.score for result in results] == [25, 25, 25]
    isolation = results[0].isolation
    assert isolation["mode"] == "container"
    assert {"process", "limits", "undumpable", "container"} <= set(isolation["layers"])
    assert (isolation["engine"], isolation["image"]) == ("docker", containers.default_image())
    started = docker.commands("run")
    names = [word for _, words in started for word in words if word.startswith("--name=")]
    assert 3 <= len(started) <= 4 and len(set(names)) == len(names)
    assert docker.running() == []


def test_a_container_that_dies_costs_no_verdict(engine, mini):
    """The session is run again in another one."""
    docker = engine()
    killed = []

    def kill(_: object) -> None:
        if not killed:
            killed.append(docker.running()[0])
            os.kill(killed[0], signal.SIGKILL)

    with Grading(mini, "container") as grading:
        result = grading.grade(mini_solution(mini), progress=kill)
    assert killed and result.score == 25
    assert eventually(lambda: docker.running() == [])
    assert docker.commands("rm", "--force")


def test_a_container_that_is_none_is_refused(engine, mini):
    """The layer counts when the probe inside agrees."""
    engine(probe=False)
    with pytest.raises(IsolationError, match=r"requires layers .*container \(it"):
        Grading(mini, "container")


def test_no_engine_is_one_clear_line(engine):
    """Neither installed, nor answering."""
    with pytest.raises(IsolationError, match=r"no container engine runs here \(docker: not installed\)"):
        sandbox.launcher("container")
    engine(fails="version")
    with pytest.raises(IsolationError, match=r"no container engine runs here \(docker: it is broken\)"):
        sandbox.launcher("container")


def test_no_image_is_one_clear_line(engine, monkeypatch):
    """It says how to make one."""
    engine(fails="image")
    monkeypatch.setenv(containers.IMAGE, "mine:1")
    with pytest.raises(IsolationError, match="docker has no image mine:1; make it with: autograder bundle docker"):
        sandbox.launcher("container")


def test_an_unknown_engine_is_refused(engine, monkeypatch):
    """By name, with those that there are."""
    monkeypatch.setenv(containers.ENGINE, "lxc")
    with pytest.raises(IsolationError, match="no container engine 'lxc'"):
        containers.find()


def test_the_engine_is_told_every_limit(engine):
    """No network, no capabilities, nothing to write to, and bounds on memory, processes and processors."""
    engine()
    words = containers.command(containers.choose(), "name", 100, ["program"])
    wanted = {"--rm", "--name=name", "--network=none", "--read-only", "--cap-drop=ALL", "--pull=never"}
    wanted |= {"--security-opt=no-new-privileges", "--log-driver=none", "--memory=1124m", "--memory-swap=1124m"}
    wanted |= {"--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=16m", f"--user={containers.USER}:{containers.USER}"}
    assert wanted <= set(words)
    assert any(word.startswith("--cpus=") for word in words) and any(word.startswith("--pids-limit=") for word in words)
    assert words[-2:] == ["sha256:0", "program"]
