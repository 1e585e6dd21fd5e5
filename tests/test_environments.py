"""The command line in odd environments: interrupted, without disk, descriptors or streams, under clocks that leap."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.test_faults import running
from tests.test_grading import MINI, alive, descendants, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are watched through /proc")
COMMAND = [sys.executable, "-m", "autograder.cli", "grade"]
CHECK = '''"""Waits, on the grader's side, once there is a result."""
import time
def test_a(hw, homework):
    """A check."""
    while list(homework.root.parent.glob("out/*/results.json")):
        time.sleep(0.01)
'''


def make_class(folder: Path, *names: str) -> Path:
    """A folder with the solution under some names."""
    for name in names:
        shutil.copytree(MINI / "solutions", folder / name)
        (folder / name / "own.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")  # or one would do for all
    return folder


def whole(out: Path) -> dict[str, Any]:
    """The results of each submission; all files are whole, there are no others, and no results without their page."""
    files = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith("gradebook.sqlite")]
    assert {path.name for path in files} <= {"results.json", "feedback.html"}
    pages = {path.parent.name: path.read_text(encoding="utf-8") for path in files if path.name == "feedback.html"}
    assert all(page.rstrip().endswith("</html>") for page in pages.values())
    results = [path for path in files if path.name == "results.json"]
    found = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in results}
    assert found.keys() <= pages.keys()
    assert all(data["tests"] for data in found.values())
    return found


@pytest.mark.parametrize(
    ("number", "status", "processes"),
    [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 4), (signal.SIGKILL, -9, 4)],
    ids=["interrupted-at-once", "terminated-in-a-check", "killed-in-a-check"],
)
def test_an_interrupted_class_keeps_what_is_finished(tmp_path, number, status, processes):
    """Whole results, no traceback, and no process is left, not even a session whose check would never end."""
    out = tmp_path / "out"
    shutil.copytree(MINI, tmp_path / "homework")
    (tmp_path / "homework/checks/test_both.py").write_text(CHECK, encoding="utf-8")
    options = [make_class(tmp_path / "class", "a", "b"), "-o", out, "--homework", tmp_path / "homework"]
    command = [*COMMAND, *map(str, options), "--question", "both", "--isolation", "process", "--jobs", "1"]
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=heard, **pipes) as process:
        wait_until(lambda: bool(list(out.glob("*/results.json"))))
        wait_until(lambda: len(descendants(process.pid)) >= processes)  # a grader, a zygote, a session, a worker
        ours = descendants(process.pid)
        os.kill(process.pid, number)
        _, err = process.communicate()
    assert process.returncode == status
    assert "Traceback" not in err
    assert list(whole(out)) == ["a"]
    wait_until(lambda: not alive(ours) and not running(str(tmp_path)))


# -- odd environments ----------------------------------------------------------------------------------------

CLOCK = """
import itertools, time
real, calls = time.time, itertools.count()
time.time = lambda: real() + (-1) ** next(calls) * 7_200
"""
ON_A_DISK = """
mount -t tmpfs -o "$1" none "$2" || exit 77
cd "$2"; [ "$3" ] && head -c 1000000 /dev/zero > filler
keep="$4"; shift 4; "$@"; status=$?
cp -r . "$keep"; exit $status
"""
NAMES = ("a", "b", "c", "zo\u00eb")
LOUD = "from square import square\ndef cube(x):\n    print(4_000 * 'x')\n    return square(x) * x\n"


@dataclass(frozen=True)
class Odd:
    """An environment in which a class is graded, and what comes of it."""

    status: int = 0
    error: str = r"zo.*: 10/10 \(.* s\)"  # a pattern for the last line of the error output
    kept: int | None = 4  # submissions that have results; None where it is some, but not all
    shell: str = 'exec "$@"'
    environment: tuple[str, str] = ("LANG", "C.UTF-8")
    mode: str = "none"
    disk: str = ""  # options of a small disk: for results, or full and for temporary files


REFUSED = "error: the results cannot be written to .*: "
FULL = r"error: .*(gradebook\.sqlite|out).*: (.*full|.*disk I/O error|File too large|No space left on device)"
ODD = {
    "closed-output": Odd(shell='exec "$@" >&-'),
    "closed-streams": Odd(error="", shell='exec "$@" <&- >&- 2>&-', mode="process"),
    "broken-pipe": Odd(error="1", shell='{ "$@"; echo $? >&2; } | true'),
    "full-output": Odd(2, "error: .*No space left on device", shell='exec "$@" >/dev/full'),
    "ascii-terminal": Odd(environment=("PYTHONIOENCODING", "ascii")),
    "no-temporary-folder": Odd(environment=("TMPDIR", "/no/such/folder")),
    "a-clock-that-leaps": Odd(environment=("PYTHONPATH", "{folder}")),
    "few-descriptors": Odd(2, "error: .*grading needs 256 open files.*", 0, 'ulimit -n 64; exec "$@"'),
    "no-descriptors": Odd(2, "error: .*Too many open files", 0, 'ulimit -n 7; exec "$@"'),
    "no-large-files": Odd(2, FULL, None, 'ulimit -f 23; exec "$@"', ("PYTHONDONTWRITEBYTECODE", "1")),
    "a-folder-in-the-way": Odd(2, f"{REFUSED}Is a directory", 2),
    "a-small-disk": Odd(2, FULL, None, disk="size=160k"),
    "a-read-only-disk": Odd(2, f"{REFUSED}Read-only file system", 0, disk="ro"),
    "full-temporary-folder": Odd(environment=("TMPDIR", "{folder}/disk"), disk="size=8k"),
}


def run_oddly(name: str, folder: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Grade a class in one of the environments; returns also where the results are."""
    odd, (variable, value) = ODD[name], ODD[name].environment
    on_disk = odd.disk and variable != "TMPDIR"
    out = folder / ("disk/out" if on_disk else "out")
    (folder / "disk").mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK, encoding="utf-8")
    (make_class(folder / "class", *NAMES) / "c/cube.py").write_text(LOUD, encoding="utf-8")
    if name == "a-folder-in-the-way":
        (out / "c/results.json").mkdir(parents=True)
    options = [
        folder / "class",
        "-o",
        out,
        "--homework",
        MINI,
        "--question",
        "cube",
        "--isolation",
        odd.mode,
        "--jobs",
        "1",
    ]
    command = ["sh", "-c", odd.shell, "sh", *COMMAND, *map(str, options)]
    if odd.disk:
        disk = [odd.disk, f"{folder}/disk", "" if on_disk else "filled", f"{folder}/kept"]
        command = ["unshare", "-rm", "sh", "-c", ON_A_DISK, "sh", *disk, *command]
    environment = {**os.environ, variable: value.format(folder=folder)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    return done, folder / "kept/out" if on_disk else out


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Iterator[dict[str, Future[Any]]]:
    """The command in each of the environments, two at a time."""
    with ThreadPoolExecutor(2) as threads:
        yield {name: threads.submit(run_oddly, name, tmp_path_factory.mktemp(name)) for name in ODD}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_environment_gives_results_or_one_line(runs, name):
    """Whole results for all, or for those before the fault, and then one line; no traceback."""
    if ODD[name].disk and not shutil.which("unshare"):
        pytest.skip("there is no unshare to mount a disk with")
    done, out = runs[name].result()
    if done.returncode == 77 or done.stderr.startswith("unshare: "):
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    assert "Traceback" not in done.stderr
    assert done.returncode == ODD[name].status, done.stderr
    assert re.fullmatch(ODD[name].error, (done.stderr.splitlines() or [""])[-1])
    kept = ODD[name].kept
    scores = {name: data["score"] for name, data in whole(out).items()}
    assert scores == dict.fromkeys(NAMES[: len(scores) if kept is None else kept], 10)
    assert kept is not None or len(scores) < len(NAMES)
