"""`--isolation container` with a real engine, attacks through it, and the grader wholly inside the image.

`run.py` starts the engines, has the image built by `autograder bundle docker`, and runs this; elsewhere it is skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder import containers
from autograder.config import load_homework
from autograder.grading import Grading
from autograder.results import Outcome, SubmissionResult
from autograder.submissions import read_submission

MINI = Path(__file__).parents[1] / "mini"
PATIENCE = 120  # seconds to wait for what happens soon on a quiet machine
LAYERS = {"process", "limits", "undumpable", "seccomp", "container"}
Grade = Callable[[str], SubmissionResult]

pytestmark = pytest.mark.skipif(
    not (os.environ.get(containers.ENGINE) and os.environ.get(containers.IMAGE)),
    reason="needs a container engine and the image: tests/containers/run.py has both",
)


def engine(*words: str) -> str:
    """What the engine answers."""
    done = subprocess.run([os.environ[containers.ENGINE], *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def image() -> str:
    """The image that is tried."""
    return os.environ[containers.IMAGE]


def left() -> list[str]:
    """The containers of ours that there are, running or not."""
    return engine("ps", "--all", "--filter=name=autograder-", "--format={{.Names}}").split()


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true before patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture(scope="module")
def grading() -> Iterator[Grading]:
    """One grader for all submissions; afterwards no container is left."""
    with Grading(load_homework(MINI), "container") as started:
        yield started
    assert left() == []


@pytest.fixture
def grade(grading: Grading, tmp_path: Path) -> Grade:
    """Grade a text as square.py, after a right cube.py, up to the first check that does not pass."""

    def grade(text: str) -> SubmissionResult:
        (tmp_path / "square.py").write_text(text, encoding="utf-8")
        shutil.copyfile(MINI / "solutions" / "cube.py", tmp_path / "cube.py")
        submission = read_submission(tmp_path, grading.homework, "student")
        return grading.grade(submission, ["cube", "square"], stop=True)

    return grade


def points(result: SubmissionResult, question: str) -> float | None:
    """A question's score."""
    return next(found.score for found in result.questions if found.name == question)


# -- grading -------------------------------------------------------------------------------------------------


def test_the_solution_scores_full_marks(grading):
    """In the container mode, behind the container and the layers inside it, which the result names."""
    result = grading.grade(read_submission(MINI / "solutions", grading.homework, "solution"))
    assert result.score == 25
    assert set(result.isolation["layers"]) >= LAYERS
    assert result.isolation["mode"] == "container"
    assert result.isolation["engine"] == os.environ[containers.ENGINE]
    assert result.isolation["image"] == image()
    assert set(result.isolation["versions"]) == {"python", "torch", "numpy"}


# What a student's `square` does; its answer is right only if the attack works.
ATTACKS = {
    "hang": "while True: pass",
    "memory-hog": "kept = []\n    while True: kept.append(bytes(1 << 24))",
    "memory-of-torch": "import torch\n    kept = []\n    while True: kept.append(torch.ones(1 << 22))",
    "fork-bomb": "import os\n    while True: os.fork()",
    "thread-bomb": (
        "import threading, time\n    while True: threading.Thread(target=time.sleep, args=[60], daemon=True).start()"
    ),
    "flood-of-output": "import os\n    while True: os.write(1, b'x' * 65536)",
    "flood-of-frames": "import os\n    while True: os.write(3, b'AGW1' * 9999)",
    "frames-for-the-relay": (
        "import os, struct\n    frame = struct.pack('<BII', 1, 1, 11) + b'{\"pid\": 99}'\n"
        "    for number in range(64):\n        for _ in range(9):\n            try:\n"
        "                os.write(number, frame)\n            except OSError:\n                pass"
    ),
    "output-of-process-1": "import os\n    os.write(os.open('/proc/1/fd/1', os.O_WRONLY), b'x' * 999)\n    return x * x",
    "memory-of-process-1": "open('/proc/1/mem', 'r+b')\n    return x * x",
    "kill-process-1": "import os\n    os.kill(1, 9)\n    return x * x",
    "kill-all": "import os\n    os.kill(-1, 9)\n    return x * x",
    "network": "import socket\n    socket.create_connection(('192.0.2.1', 80), 1)\n    return x * x",
    "scratch": "open('/tmp/left', 'w').write('x')\n    return x * x",
    "engine-in-the-image": "open('/opt/autograder/autograder/wire.py').read()\n    return x * x",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_earns_nothing_and_costs_no_other_verdict(grade, attack):
    """The other question keeps its marks, and no verdict is withheld."""
    result = grade(f"def square(x):\n    {ATTACKS[attack]}\n")
    assert points(result, "square") == 0
    assert points(result, "cube") == 10
    assert Outcome.INTERNAL_ERROR not in result.outcomes().values()


def test_after_all_attacks_a_right_answer_is_right(grade):
    """Nothing of those before it is left."""
    assert points(grade((MINI / "solutions" / "square.py").read_text(encoding="utf-8")), "square") == 10


def test_a_container_that_is_removed_costs_no_verdict(grading):
    """Somebody ends all containers in the middle: the submission is graded again in another."""
    removed: list[str] = []

    def remove(_: object) -> None:
        if not removed:
            removed.extend(left())
            engine("rm", "--force", *removed)

    result = grading.grade(read_submission(MINI / "solutions", grading.homework, "solution"), progress=remove)
    assert removed and result.score == 25


def test_a_grader_that_is_killed_leaves_no_container():
    """The relay outlives it for as long as that takes."""
    others = set(left())
    with Grading(load_homework(MINI), "container") as grading:
        own = set(left()) - others
        assert own
        os.kill(grading.grader.process.pid, signal.SIGKILL)
        assert eventually(lambda: not own & set(left()))


# -- the container -------------------------------------------------------------------------------------------

PROBE = "from autograder import confine; print(confine.probe_container())"


def test_the_probe_sees_what_a_container_lacks():
    """With the options of `grade` it finds nothing missing; without them it says what."""
    chosen = containers.Chosen(os.environ[containers.ENGINE], image(), image())
    words = containers.command(chosen, f"probe-{os.getpid()}", 512, ["python", "-c", PROBE])
    assert engine(*words[1:]) == ""
    said = engine("run", "--rm", "--network=none", image(), "python", "-c", PROBE)
    for reason in ("root can be written to", "capabilities", "gain privileges", "memory has no limit"):
        assert reason in said


def test_the_image_is_lean():
    """Another user than root; no compiler, installer, conda or browser; nothing of a homework."""
    look = (
        "id -u; command -v gcc cc g++ make conda firefox chromium; "
        "find / -xdev -path '/opt/*/pip' -o -path '*/torch/include' -o -path '/opt/autograder/*/checks' 2>/dev/null; "
        "find / -xdev -name assignment -o -name solutions -o -name '*.whl' -path '/context/*' 2>/dev/null; true"
    )
    assert engine("run", "--rm", "--network=none", image(), "sh", "-c", look).split() == [str(containers.USER)]


# -- the grader wholly inside --------------------------------------------------------------------------------

INSIDE = {
    "user": (("--cap-drop=ALL", "--security-opt=no-new-privileges"), {"process", "limits", "undumpable", "seccomp"}),
    "root": (("--user=0:0",), {"process", "limits", "undumpable", "user", "seccomp"}),
}


@pytest.mark.parametrize("kind", INSIDE)
def test_the_grader_inside_the_image(kind, tmp_path):
    """As a course's CI runs it: homework and submissions read-only, the sandbox in force around each worker."""
    options, layers = INSIDE[kind]
    shutil.copytree(MINI, tmp_path / "homework", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "submissions" / "bad").mkdir(parents=True)
    shutil.copytree(MINI / "solutions", tmp_path / "submissions" / "good")
    (tmp_path / "submissions" / "bad" / "square.py").write_text(
        "def square(x):\n    open('/homework/solutions/square.py').read()\n    return x * x\n", encoding="utf-8"
    )
    (tmp_path / "out").mkdir()
    for folder, mode in (("homework", 0o755), ("submissions", 0o755), ("out", 0o777)):
        (tmp_path / folder).chmod(mode)
    mounts = [
        f"--volume={tmp_path}/{name}:/{name}{':ro' * (name != 'out')}" for name in ("homework", "submissions", "out")
    ]
    words = ["autograder", "grade", "/submissions", "-o", "/out", "--homework", "/homework"]
    required = f"--require-isolation={','.join(sorted(layers))}"
    engine("run", "--rm", "--network=none", *options, *mounts, image(), *words, required)
    look = "import json; [print(open(f'/out/{n}/results.json').read().replace(chr(10), '')) for n in ('good', 'bad')]"
    shown = engine("run", "--rm", "--network=none", *options, *mounts, image(), "python", "-c", look).splitlines()
    good, bad = map(json.loads, shown)
    assert good["score"] == 25 and bad["score"] == 0
    assert layers <= set(good["extra_data"]["isolation"]["layers"])
    with contextlib.suppress(OSError):  # the container's user owns what is in it
        shutil.rmtree(tmp_path / "out")


def test_the_command_line(tmp_path):
    """`autograder grade submissions -o out --isolation container`, as the guide has it, and what it leaves."""
    for student in ("alice", "bob"):
        shutil.copytree(MINI / "solutions", tmp_path / "submissions" / student, ignore=shutil.ignore_patterns("*ants"))
    others = set(left())
    words = ["grade", "submissions", "-o", "out", "--isolation", "container", "--homework", MINI]
    done = subprocess.run(
        [sys.executable, "-m", "autograder.cli", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for student in ("alice", "bob"):
        results = json.loads((tmp_path / "out" / student / "results.json").read_text(encoding="utf-8"))
        assert (results["score"], results["extra_data"]["isolation"]["mode"]) == (25, "container")
    assert set(left()) <= others
