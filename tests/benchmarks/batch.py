"""What grading a class takes, in three parts; ratios where times would say more of the machine than of the code.

`rate`: how fast a class is graded that is made of the homework's solution, variants and mutants, by jobs. The ratio is
to the bare cost, which is the same checks with the same explanations in one process, `--isolation none`, with torch
already imported: processes times seconds, so that 1.0 would be a sandbox that costs nothing, and jobs that share
nothing. `coordinator`: what the one process that reads, keeps and writes takes of processor time, memory and disk for
each submission, when grading takes no time at all; then again with nothing changed. `cluster`: how fast the tiny
homework of tests/mini is graded by workers of a Dask cluster on this machine, as a ratio to one local job.

    python -m tests.benchmarks.batch rate --class 100
    python -m tests.benchmarks.batch coordinator --sizes 100 1000 10000
    python -m tests.benchmarks.batch cluster --workers 1 2 4 8
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder.attempts import Handed, accept, single
from autograder.batch import Graders, LocalGraders, Options, Task, assemble, grade_all
from autograder.cluster import ClusterGraders
from autograder.config import Homework, load_homework
from autograder.gradebook import FILE
from autograder.grading import decided
from autograder.results import CheckInfo, CheckResult, Frame, Outcome, SubmissionResult

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "mini"
SANDBOX = Options(isolation="sandbox")
WRONG, OTHERWISE = 0.25, 0.375  # of the questions of a class, that many are mutants and variants
CHECKS, FAILED = 154, 20  # of the result that every submission gets from nobody


def processor_seconds() -> float:
    """What this process has used, without its children."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def with_columns(title: str, *columns: str) -> Table:
    """A table of numbers."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def said_of_the_machine() -> str:
    """How many processors there are, and how many processes want one: what is measured beside others is too slow."""
    return f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}"


def warm(homework: Homework, options: Options, jobs: int, entry: Handed) -> LocalGraders:
    """Graders that have all started and graded a submission each."""
    graders = LocalGraders(homework, options, jobs, lambda result: None)
    submission = accept(entry, homework)
    for number in range(jobs):
        graders.submit(Task(str(number), submission, [question.name for question in homework.questions], None))
    for _ in range(jobs):
        graders.finished()
    return graders


def timed(homework: Homework, handed: Sequence[Handed], graders: Graders, out: Path) -> tuple[float, float]:
    """Grade a class; returns seconds, and seconds of this process on a processor."""
    started, used = time.perf_counter(), processor_seconds()
    grade_all(homework, handed, out, SANDBOX, graders=lambda: graders)
    return time.perf_counter() - started, processor_seconds() - used


# -- rate --------------------------------------------------------------------------------------------------------------


def made_class(homework: Homework, size: int, folder: Path) -> list[Handed]:
    """A class of which no two handed in the same: the solution, and mixtures of it with variants and mutants."""
    chance = random.Random(0)
    known = {
        kind: {
            name: sorted((homework.path(homework.solutions) / kind / name).glob("[!_]*"))
            for name in (question.name for question in homework.by_file.values())
        }
        for kind in ("mutants", "variants")
    }
    handed: list[Handed] = []
    digests: set[str] = set()
    while len(handed) < size:
        overlays = []
        for name in known["mutants"] if handed else ():
            draw = chance.random()
            kind = "mutants" if draw < WRONG else "variants" if draw < WRONG + OTHERWISE else ""
            if kind and known[kind][name]:
                overlays.append(str(chance.choice(known[kind][name]).relative_to(homework.root)))
        entry = single(f"student-{len(handed):04}", folder / f"student-{len(handed):04}")
        assemble(homework, overlays, entry.place.root)
        digest = accept(entry, homework).digest
        if digest not in digests:
            digests.add(digest)
            handed.append(entry)
    return handed


def bare_seconds(homework: Homework, handed: Sequence[Handed], sample: int) -> float:
    """What the checks of a submission take by themselves: one process, nothing beside student code, nothing kept.

    Args:
        homework: the homework.
        handed: the class.
        sample: so many of it are graded, from all parts of it.
    """
    chosen = handed[:: max(1, len(handed) // sample)]
    with Options(isolation="none").grading(homework) as grading:
        grading.grade(accept(handed[0], homework))
        started = time.perf_counter()
        for entry in track(chosen, "bare"):
            grading.grade(accept(entry, homework))
        return (time.perf_counter() - started) / len(chosen)


def rate(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure and print how fast a class is graded, by jobs."""
    homework = load_homework(ROOT)
    handed = made_class(homework, arguments.size, folder / "class")
    machine = said_of_the_machine()
    bare = bare_seconds(homework, handed, arguments.bare)
    table = with_columns(f"a class of {len(handed)}; {machine} before", "graded with", "submissions/min", "ratio")
    table.add_row("bare", f"{60 / bare:.2f}", "1.00")
    for jobs in arguments.jobs:
        graders = warm(homework, SANDBOX, jobs, handed[0])
        seconds, _ = timed(homework, handed, graders, folder / f"out-{jobs}")
        print(f"{jobs} jobs: {seconds:.0f} seconds; {said_of_the_machine()}")
        table.add_row(
            f"sandbox, {jobs} jobs", f"{60 * len(handed) / seconds:.2f}", f"{jobs * seconds / len(handed) / bare:.2f}"
        )
    Console().print(table)


# -- coordinator -------------------------------------------------------------------------------------------------------


class Nobody:
    """Graders that grade nothing: every submission gets the same result at once; see `batch.Graders`."""

    capacity = 4

    def __init__(self, homework: Homework):
        names = [question.name for question in homework.questions]
        self.homework = homework
        self.versions = {"python": "3.12.0", "torch": "2.9.0", "numpy": "2.3.0", "hypothesis": "6.150.0"}
        self.isolation = {"mode": "sandbox", "layers": ["seccomp", "landlock", "namespaces", "limits"]}
        self.checks = []
        for number in range(CHECKS):
            question, file = (
                names[number % len(names)],
                f"{homework.hidden_checks}/test_{names[number % len(names)]}.py",
            )
            seen = ("public", "hidden", "hidden", "secret")[number // len(names) % 4]
            title = f"`{question}` is right for the inputs of case {number}"
            self.checks.append(CheckInfo(f"{file}::test_case_{number}", question, title, 1.0, seen))
        verdicts = [verdict(check, number < FAILED) for number, check in enumerate(self.checks)]
        empty = SubmissionResult("", (), (), dict(self.isolation), dict(self.versions), (), 21.5)
        self.result = decided(
            homework, accept(single("", homework.path(homework.solutions)), homework), verdicts, empty
        )
        self.waiting: collections.deque[Task] = collections.deque()

    def submit(self, task: Task) -> None:
        """Take a task."""
        self.waiting.append(task)

    def finished(self) -> tuple[Task, SubmissionResult]:
        """Be done with the oldest."""
        return self.waiting.popleft(), self.result

    def close(self) -> None:
        """Nothing runs."""


def verdict(check: CheckInfo, failed: bool) -> CheckResult:
    """A verdict; of a check that failed, with as much to say as is usual."""
    if not failed:
        return CheckResult(check, Outcome.PASSED, seconds=0.1234, calls=25)
    rows = [f"  [{row}, {row + 1}]    {row * 0.3713:12.6f}    {row * 0.2917:12.6f}" for row in range(10)]
    code = [f"x{line} = torch.tensor([[0.5, -{line}.25], [1.0, 2.0]], dtype=torch.float64)" for line in range(6)]
    frames = [
        Frame(f"{check.question}.py", line, "forward", "return x @ self.weight.T + self.bias") for line in (21, 34)
    ]
    return CheckResult(
        check,
        Outcome.FAILED,
        f"`{check.question}` differs from what is right in 10 of 64 entries, by up to 0.8",
        tuple(frames),
        "epoch 1: loss 0.6931\n" * 5,
        0.3217,
        110,
        {"error": 0.25},
        "\n".join(["  entry           yours           expected", *rows]),
        "",
        "\n".join(["import torch", f"import {check.question}", *code, f"print({check.question}.forward(x0, x1))"]),
        "Look at what happens to the axes when there is more than one row: which of them is summed over?",
    )


def coordinate(folder: Path, size: int) -> None:
    """In a process of its own, keep results for a class of this size; prints figures."""
    homework = load_homework(ROOT)
    handed = [single(f"student-{number:05}", folder / "class" / f"{number:05}") for number in range(size)]
    seconds, used = timed(homework, handed, Nobody(homework), folder / "out")
    peak = re.search(
        r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii")
    )  # of this program only
    assert peak is not None
    book = sum(path.stat().st_size for path in (folder / "out").glob(f"{FILE}*"))
    print(json.dumps({"seconds": seconds, "used": used, "peak": int(peak[1]) << 10, "book": book}))


def coordinator(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure and print what the coordinator takes."""
    if arguments.one is not None:
        return coordinate(arguments.folder, arguments.one)
    title = f"a submission's share, over a run of one submission; {said_of_the_machine()} before"
    columns = ("submissions", "run", "CPU ms", "wall ms", "peak MB", "growth KB", "book KB")
    table = with_columns(title, *columns)
    single_run: dict[str, dict[str, float]] = {}
    for size in (1, *arguments.sizes):
        place = folder / str(size)
        for number in range(size):
            own = place / "class" / f"{number:05}"
            own.mkdir(parents=True)
            (own / "relu.py").write_text(f"NUMBER = {number}\n", encoding="utf-8")
        command = [sys.executable, "-m", "tests.benchmarks.batch", "coordinator", "--folder", place, "--one", str(size)]
        for run in ("first", "unchanged"):
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            found = json.loads(done.stdout)
            base = single_run.setdefault(run, found)
            if size == 1:
                continue
            more = {name: (value - base[name]) / (size - 1) for name, value in found.items()}
            table.add_row(
                str(size),
                run,
                f"{1e3 * more['used']:.1f}",
                f"{1e3 * more['seconds']:.1f}",
                f"{found['peak'] / 2**20:.0f}",
                f"{more['peak'] / 2**10:.1f}",
                f"{more['book'] / 2**10:.1f}",
            )
            print(f"{size} {run}: {found}")
    peak = single_run["first"]["peak"] / 2**20
    table.caption = f"the run of one: {1e3 * single_run['first']['used']:.0f} ms, {peak:.0f} MB"
    Console().print(table)


# -- cluster -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def dask(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler and workers of one thread each, all processes of their own; yields the address."""
    file, log = folder / f"scheduler-{workers}.json", (folder / f"dask-{workers}.log").open("wb")
    places = ["--scheduler-file", file, "--no-dashboard"]
    loopback = ["--host", "127.0.0.1"]
    of_workers = ["--nworkers", str(workers), "--nthreads", "1", "--memory-limit", "0", "--local-directory", folder]
    with contextlib.ExitStack() as stack:
        stack.enter_context(log)
        for kind, more in (("scheduler", ["--port", "0"]), ("worker", of_workers)):
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *places, *loopback, *more]
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
            stack.callback(end, process)
            wait_until(file.exists)
        yield json.loads(file.read_text(encoding="utf-8"))["address"]


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and see to it."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(true: Callable[[], bool]) -> None:
    """Wait a while, but not for ever."""
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            sys.exit("the cluster does not start")
        time.sleep(0.1)


def cluster(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure and print how fast the tiny homework is graded, by workers."""
    homework = load_homework(MINI)
    handed = []
    for number in range(arguments.size):
        entry = single(f"student-{number:03}", folder / "class" / f"{number:03}")
        assemble(homework, (), entry.place.root)
        with (entry.place.root / "square.py").open("a", encoding="utf-8") as file:
            file.write(f"# {number}\n")
        handed.append(entry)
    title = f"{len(handed)} tiny submissions; {said_of_the_machine()} before"
    table = with_columns(title, "graded by", "submissions/s", "ratio", "coordinator's CPU ms each")
    base, used = timed(homework, handed, warm(homework, SANDBOX, 1, handed[0]), folder / "local")
    table.add_row("1 local job", f"{len(handed) / base:.2f}", "1.00", f"{1e3 * used / len(handed):.1f}")
    for workers in arguments.workers:
        with dask(workers, folder) as address:
            wait_until(lambda address=address, workers=workers: joined(address) == workers)
            graders = ClusterGraders(homework, SANDBOX, address, print)
            seconds, used = timed(homework, handed, graders, folder / f"out-{workers}")
        row = f"{len(handed) / seconds:.2f}", f"{base / seconds:.2f}", f"{1e3 * used / len(handed):.1f}"
        table.add_row(f"{workers} workers", *row)
        print(f"{workers} workers: {seconds:.1f} seconds; {said_of_the_machine()}")
    Console().print(table)


def joined(address: str) -> int:
    """How many workers the scheduler has."""
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        return len(client.nthreads())


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True, metavar="PART")
    part = parts.add_parser("rate", help="submissions a minute, and what isolation costs")
    part.add_argument("--class", type=int, default=100, dest="size", help="submissions (default %(default)s)")
    part.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="(default 1 2)")
    part.add_argument("--bare", type=int, default=100, help="so many for the bare cost (default %(default)s)")
    part.set_defaults(part=rate)
    part = parts.add_parser("coordinator", help="the coordinator's processor time, memory and disk")
    part.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000], help="(default 100 1000 10000)")
    part.add_argument("--one", type=int, help=argparse.SUPPRESS)
    part.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    part.set_defaults(part=coordinator)
    part = parts.add_parser("cluster", help="workers of a Dask cluster beside one local job")
    part.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8], help="(default 1 2 4 8)")
    part.add_argument("--class", type=int, default=40, dest="size", help="submissions (default %(default)s)")
    part.set_defaults(part=cluster)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        arguments.part(arguments, Path(name))


if __name__ == "__main__":
    main()
