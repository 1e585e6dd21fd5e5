"""What the attacks of tests/attacks gain under Otter-Grader, as its users run it, and in our sandbox.

Under Otter, an attack is the code cell of a notebook, between the two cells that Otter's own notebooks have. The tests
are exception-based, hidden but for one, and mirror the checks of tests/attacks/homework: the same values and the same
comparisons, with plain loops for Hypothesis. `otter generate` packs them, with the labels as a support file because it
takes nothing but `*.py` out of a folder of tests; `otter run` grades, in its default configuration. Attacks are taken
as they are: those that aim at pytest or at our own engine find nothing to aim at, so what is found is a lower bound.

Attacks are told where things are, as someone who knows Otter would be: its working folders (`.`, the submission, and
`../results`), and the course's own folder with solutions and checks, which is on the same disk wherever an instructor
runs `otter run`. Points count only if Otter itself ends well and its results.json has a score; all else is no verdict.
A secret counts if it is in Otter's output, in results.json, or in the executed notebook that Otter keeps. On both
sides, a plain wrong answer must earn 0 points first, and the solution all of them.

Otter does not protect the machine that it runs on, so this does, and needs root on Linux for it: each run is an
ordinary user with few processes, bounded memory and small files, in PID, mount, IPC and network namespaces of its own,
where everything is read-only but folders in memory. All of it dies with the run. There is no network but loopback:
what an attack would have sent out is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import pickletools
import queue
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from tests.attacks import harness

Came = dict[str, dict[str, Any]]  # of one attack, by side: points, harm, secrets, seconds
Figures = dict[str, Came]  # by the attack's name
SIDES = ("Otter", "sandbox")
POINTS = 10
FIRST_USER = 64100  # and one more for each job: the kernel counts processes by user
BEFORE, AFTER = "import otter\ngrader = otter.Notebook()", 'grader.check("square")'
TESTS = """\
from otter.test_files import test_case
import torch
OK_FORMAT = False
SECRET = "CANARY_CHECKS"
name = "square"
points = 10

@test_case()
def test_seven(square):
    assert square(torch.tensor([7.0])).tolist() == [49.0]

@test_case(hidden=True)
def test_value(square):
    expected = torch.tensor([9.0])
    torch.testing.assert_close(square(torch.tensor([3.0])), expected)

@test_case(hidden=True)
def test_values(square):
    for size in range(1, 21):
        x = torch.randint(-1000, 1001, (size,))
        expected = x * x
        came = square(x)
        assert torch.equal(came, expected), f"the squares of {x} are {expected}; {came} came"

@test_case(hidden=True)
def test_gradient(square):
    x = torch.randn(3, dtype=torch.double, requires_grad=True)
    expected = (x * x).detach()
    torch.testing.assert_close(square(x).detach(), expected)
    assert torch.autograd.gradcheck(square, (x,))

@test_case(hidden=True)
def test_labels(square):
    with open("labels.txt") as file:
        first, *rows = file.read().split()
    secret = first
    x, y = (torch.tensor([float(row.split(",")[i]) for row in rows]) for i in (0, 1))
    assert torch.allclose(square(x), y), f"not as in the labels of {len(secret)} characters"

@test_case(hidden=True)
def test_many_calls(square):
    for number in range(20):
        x = torch.full((7,), float(number))
        expected = x * x
        assert torch.equal(square(x), expected)
"""
NAMESPACES = ("--mount", "--pid", "--mount-proc", "--net", "--ipc", "--uts", "--fork", "--kill-child")
# Arguments: what to lay out, an empty folder for it, a user, seconds of processor time, otter. Standard input is a file
# for an archive of the results.
INSIDE = r"""
set -e
for point in $(cut -d ' ' -f 2 /proc/self/mounts | grep -v ^/proc); do
    mount -o remount,bind,ro "$point" 2>/dev/null || true
done
mount -t tmpfs -o size=64m tmpfs /dev/shm
mount -t tmpfs -o size=1g,mode=755 tmpfs "$2"
ip link set lo up
cp -a "$1/." "$2"
mkdir "$2/tmp" "$2/home" "$2/out"
chown -R "$3:$3" "$2"
cd "$2/out"
export TMPDIR="$2/tmp" HOME="$2/home" OMP_NUM_THREADS=1
set +e
# Python may lie in root's home: the user may read every file. The inner shell keeps its processes traceable.
setpriv --reuid="$3" --regid="$3" --clear-groups --no-new-privs --inh-caps=-all,+dac_read_search \
    --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search \
    prlimit --as=4294967296 --nproc=256 --fsize=268435456 --core=0 --cpu="$4" \
    sh -c 'exec "$@"' sh "$5" run -p -a "$2/autograder.zip" -o . "$2/submission/submission.ipynb" </dev/null
code=$?
tar -cf - results.json results.pkl >&0
exit $code
"""


class Unfit(Exception):
    """The measurement would be worthless; the text says why."""


class Otter:
    """Otter-Grader, one more level that attacks can be handed in to; each run is in namespaces of its own."""

    def __init__(self, executable: Path, seconds: float, user: int):
        self.executable, self.seconds, self.user = executable, seconds, user
        self.around = harness.Surroundings("otter")
        self.folder = Path(tempfile.mkdtemp(prefix="otter-"))
        self.folder.chmod(0o755)
        self.place = self.folder / "place"
        for folder in (self.place, self.folder / "tests"):
            folder.mkdir()
        self.tests = self.around.secret(TESTS)
        (self.folder / "tests" / "square.py").write_text(self.tests, encoding="utf-8")
        shutil.copy(self.around.root / "checks" / "labels.txt", self.folder)
        subprocess.run([executable, "generate", "labels.txt"], cwd=self.folder, check=True, capture_output=True)

    def close(self) -> None:
        """Take everything away."""
        self.around.close()
        shutil.rmtree(self.folder)

    def run(self, attack: harness.Attack) -> harness.Achieved:
        """Grade the attack."""
        self._lay_out(attack)
        ended_well = self._otter()
        output = (self.folder / "output").read_text(encoding="utf-8", errors="replace")
        results, pickled = (self._result(name) for name in ("results.json", "results.pkl"))
        texts = [text for text in _texts(pickled) if text != self.tests]
        said = "\n".join([output, results.decode("utf-8", "replace"), *texts])
        score = _score(results) if ended_well else None
        harm = ("no verdict",) if score is None else ()
        return harness.Achieved(score or 0, self.around.secrets(said), harm=harm)

    def _lay_out(self, attack: harness.Attack) -> None:
        text = attack.text.replace("/autograder/submission", ".").replace("/autograder/results", "../results")
        self.around.restore()
        self.around.hand_in(text.replace("/autograder/", f"{self.place}/"))
        source = (self.around.submission / "square.py").read_text(encoding="utf-8")
        code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
        cells = [{**code, "id": f"cell{i}", "source": text} for i, text in enumerate((BEFORE, source, AFTER))]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        shutil.rmtree(self.around.submission)
        self.around.submission.mkdir()
        (self.around.submission / "submission.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        shutil.copy(self.folder / "autograder.zip", self.around.folder)

    def _otter(self) -> bool:
        """Run Otter; returns whether it ended well."""
        arguments = [self.around.folder, self.place, self.user, math.ceil(self.seconds), self.executable]
        with (self.folder / "output").open("wb") as output, (self.folder / "results.tar").open("wb") as archive:
            process = subprocess.Popen(
                ["unshare", *NAMESPACES, "sh", "-c", INSIDE, "sh", *map(str, arguments)],
                stdin=archive,
                stdout=output,
                stderr=output,
                env={**os.environ, "GRADER_SECRET": self.around.canary("ENVIRONMENT")},
                start_new_session=True,
            )
        try:
            return process.wait(self.seconds) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _result(self, name: str) -> bytes:
        """A file that Otter wrote, as data; empty when there is none."""
        with contextlib.suppress(tarfile.TarError, KeyError), tarfile.open(self.folder / "results.tar") as archive:
            file = archive.extractfile(name)
            return file.read() if file else b""
        return b""


def _score(results: bytes) -> float | None:
    """The score in results.json, as platforms read it; None when there is none."""
    try:
        data = json.loads(results)
        scores = [float(test["score"]) for test in data["tests"] if "score" in test]
        score = float(data.get("score", sum(scores)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return min(score, POINTS) if scores and math.isfinite(score) else None


def _texts(pickled: bytes) -> Iterator[str]:
    """The texts in a pickle, which is not loaded: an attack may have written it."""
    with contextlib.suppress(ValueError):
        yield from (argument for _, argument, _ in pickletools.genops(pickled) if isinstance(argument, str))


def measure(attacks: Sequence[harness.Attack], options: argparse.Namespace) -> Iterator[tuple[str, Came]]:
    """Each attack's name and what came of it, as it comes.

    Raises:
        Unfit: a plain answer does not get what it deserves, or a secret comes out by itself.
    """
    with contextlib.ExitStack() as stack:
        jobs: queue.SimpleQueue[dict[str, harness.Level]] = queue.SimpleQueue()
        for job in range(options.jobs):
            otter = Otter(options.otter, options.seconds, FIRST_USER + job)
            stack.callback(otter.close)
            sandbox = harness.Engine("sandbox")
            stack.callback(sandbox.close)
            jobs.put(dict(zip(SIDES, (otter, sandbox), strict=True)))

        def run(attack: harness.Attack) -> Came:
            sides, came = jobs.get(), {}
            try:
                for name, side in sides.items():
                    started = time.monotonic()
                    achieved = side.run(attack)
                    seconds = round(time.monotonic() - started, 1)
                    points = round(achieved.points, 2)  # a sum of rounded scores
                    values = (points, achieved.harm, achieved.secrets, seconds)
                    came[name] = dict(zip(("points", "harm", "secrets", "seconds"), values, strict=True))
            finally:
                jobs.put(sides)
            return came

        for answer, points in (("wrong.py", 0), ("homework/solutions/square.py", POINTS)):
            for side, came in run(harness.Attack(harness.HERE / answer)).items():
                if (came["points"], came["harm"], came["secrets"]) != (points, (), ()):
                    raise Unfit(f"{side}: {answer} should have {points} points and nothing else: {came}")
        threads = ThreadPoolExecutor(options.jobs)
        stack.callback(threads.shutdown, cancel_futures=True)
        console = Console(stderr=True)
        results = threads.map(run, attacks)
        shown = track(results, "attacks", len(attacks), console=console, disable=not console.is_terminal)
        yield from ((attack.name, came) for attack, came in zip(attacks, shown, strict=True))


def table(figures: Figures) -> str:
    """A Markdown table of the figures by family, and of all."""
    titles = ("gained points", "mean points", "no verdict", "saw secrets")
    rows = [["family", "attacks", *(f"{side}: {title}" for side in SIDES for title in titles)]]
    rows.append(["---", *["---:"] * (len(rows[0]) - 1)])
    for family in [*dict.fromkeys(name.partition("/")[0] for name in figures), "all"]:
        chosen = [came for name, came in figures.items() if family in (name.partition("/")[0], "all")]
        rows.append([family, str(len(chosen))])
        for side in SIDES:
            gained, harmed, saw = (
                sum(bool(came[side][key]) for came in chosen) for key in ("points", "harm", "secrets")
            )
            mean = sum(came[side]["points"] for came in chosen) / len(chosen)
            rows[-1] += [str(gained), f"{mean:.1f}", str(harmed), str(saw)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the figures; returns the exit status."""
    options = parse(arguments)
    # Texts are read at once: the files may change in so long a time.
    attacks = [attack for attack in harness.attacks() if fnmatch(attack.name, options.only) and attack.text]
    started, figures, problem = time.monotonic(), {}, ""
    try:
        if sys.platform != "linux" or os.geteuid() != 0:
            raise Unfit("attacks under Otter have to be shut in, which needs Linux and root")
        if not attacks:
            raise Unfit(f"no attack is called {options.only}")
        said = subprocess.run([options.otter, "--version"], capture_output=True, text=True, check=True).stdout
        for name, came in measure(attacks, options):
            figures[name] = came
    except (Unfit, OSError, subprocess.CalledProcessError, KeyboardInterrupt) as reason:
        problem = f"{type(reason).__name__}: {reason}"
        print(problem, file=sys.stderr)
    if figures:
        seconds = round(time.monotonic() - started)
        print(table(figures))
        if options.out:
            version = re.search(r"Otter-Grader version: (\S+)", said)[1]
            run = {"otter": version, "jobs": options.jobs, "limit": options.seconds, "seconds": seconds}
            run |= {"problem": problem, "attacks": figures}
            options.out.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    return int(bool(problem))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    otter = Path(sys.executable).parent / "otter"
    parser.add_argument("--otter", type=Path, default=otter, metavar="PATH", help="the otter command (%(default)s)")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="these attacks, e.g. 'patching/*' (all)")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1, help="attacks at a time (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, metavar="N", help="for each run of Otter (%(default)g)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the figures go, as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
