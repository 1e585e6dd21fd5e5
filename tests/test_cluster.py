"""Real Dask schedulers and workers on this machine: what they grade is what is graded here, whatever is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder import cluster
from autograder.batch import Options, Task, Watcher, grade_all
from autograder.cluster import ClusterGraders
from autograder.config import Homework, load_homework
from autograder.errors import ConfigError
from autograder.gradebook import Gradebook
from autograder.intake import handed_in
from autograder.results import Outcome, Summary
from autograder.submissions import Submission

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

ROOT = Path(__file__).parents[1]
MINI = ROOT / "tests" / "mini"
ANSWERS = {
    "right": "return x * x",
    "wrong": "return x + x",
    "slow": "return x * x * SLOWLY",
    "breaks": "raise ValueError(x)",
}


class Dask:
    """A scheduler and its workers, each in a process group of its own."""

    def __init__(self, folder: Path):
        self.folder, self.file = folder, folder / "scheduler.json"
        self.started: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        while not (self.file.is_file() and self.file.read_text(encoding="utf-8").endswith("}")):
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        self.address: str = json.loads(self.file.read_text(encoding="utf-8"))["address"]

    def worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start one, with a nanny."""
        folder = self.folder / f"worker-{len(self.started)}"
        return self._start(
            "worker", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), *options, **environment
        )

    def _start(self, name: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", "--scheduler-file", str(self.file), *options]
        path = environment.pop("PYTHONPATH", f"{ROOT}:{os.environ.get('PYTHONPATH', '')}")
        with open(self.folder / f"{name}-{len(self.started)}.log", "wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path, **environment},
                cwd=self.folder,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def pids(self) -> list[int]:
        """Of the worker processes, without their nannies."""
        with distributed.Client(self.address, set_as_default=False) as client:
            return list(client.run(os.getpid).values())

    def close(self) -> None:
        """End all."""
        for process in reversed(self.started):
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Once(Watcher):
    """Does something as soon as the first submission is finished, and counts."""

    def __init__(self, act: Callable[[], object] = lambda: None):
        self.act, self.graded, self.names = act, 0, list[str]()

    def finished(self, summary: Summary, result: Any) -> None:
        """Count, and act."""
        self.graded += summary.graded
        self.names.append(summary.name)
        if len(self.names) == 1:
            self.act()


@pytest.fixture(scope="module")
def mini() -> Homework:
    """The tiny homework."""
    return load_homework(MINI)


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Submissions of different content."""
    root = tmp_path_factory.mktemp("class")
    for number, (name, body) in enumerate((*ANSWERS.items(), ("slow", ANSWERS["slow"]))):
        folder = root / f"{name}-{number}"
        folder.mkdir()
        shutil.copy(MINI / "solutions" / "cube.py", folder)
        slowly = "import time\n\ntime.sleep(0.5)\nSLOWLY = 1\n" if "SLOWLY" in body else ""
        source = f"# {number}\n{slowly}\n\ndef square(x):\n    {body}\n"
        (folder / "square.py").write_text(source, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A scheduler and two workers."""
    with contextlib.closing(Dask(tmp_path_factory.mktemp("dask"))) as own:
        own.worker()
        own.worker()
        yield own


@pytest.fixture(scope="module")
def local(mini: Homework, submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What comes of the class on this machine."""
    out = tmp_path_factory.mktemp("local")
    grade_all(mini, handed_in([submissions], mini), out, jobs=1)
    return verdicts(out, submissions)


def on(dask: Dask, homework: Homework, submissions: Path, out: Path, watcher: Watcher | None = None) -> None:
    """Grade a class on a cluster."""
    grade_all(
        homework,
        handed_in([submissions], homework),
        out,
        graders=lambda: ClusterGraders(homework, Options(), dask.address, lambda line: None),
        watcher=watcher,
    )


def verdicts(out: Path, submissions: Path) -> dict[str, Any]:
    """Scores and outcomes as the gradebook has them."""
    with Gradebook(out, write=False) as book:
        rows = {path.name: book.row(path.name) for path in submissions.iterdir()}
    return {
        name: (row.result.score, {check.check.id: check.outcome for check in row.result.checks})
        for name, row in rows.items()
        if row is not None
    }


def test_the_results_are_those_of_this_machine(dask, mini, submissions, local, tmp_path):
    """Scores and outcomes are the same, each submission is graded once, and not again."""
    first, second = Once(), Once()
    on(dask, mini, submissions, tmp_path, first)
    assert verdicts(tmp_path, submissions) == local
    assert first.graded == len(first.names) == len(set(first.names)) == len(local) == 5
    on(dask, mini, submissions, tmp_path, second)
    assert second.graded == 0


def test_what_travels_is_content(dask, mini, submissions):
    """The homework and each submission are in the cluster once, under their digests, whoever handed them in."""
    slow = next(entry for entry in handed_in([submissions], mini) if entry.name == "slow-2").read(mini)
    names = [question.name for question in mini.questions]
    with contextlib.closing(ClusterGraders(mini, Options(), dask.address, lambda line: None)) as graders:
        for number, name in enumerate(("ada", "ben")):
            graders.submit(Task(str(number), dataclasses.replace(slow, name=name), names, None))
        known: list[str] = []
        while sum(key.startswith("grade-") for key in known) < 2:  # they take another way than the question
            known = graders.client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        results = [graders.finished()[1] for _ in range(2)]
    kinds = Counter(key.partition("-")[0] for key in known)
    assert (kinds["homework"], kinds["submission"], kinds["grade"]) == (1, 1, 2)
    assert f"homework-{graders.digest}" in known
    assert sorted(result.name for result in results) == ["ada", "ben"]
    assert {result.score for result in results} == {results[0].max_score}


def test_workers_that_are_killed_cost_nothing(dask, mini, submissions, local, tmp_path):
    """One with its nanny, one alone: what they were at is graded elsewhere; each result comes once."""
    extra = dask.worker()
    with distributed.Client(dask.address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=60)
    pids = dask.pids()

    def act() -> None:
        kill(extra)
        with contextlib.suppress(ProcessLookupError):  # it may be the same
            os.kill(pids[0], signal.SIGKILL)

    watcher = Once(act)
    try:
        on(dask, mini, submissions, tmp_path, watcher)
    finally:
        kill(extra)
    assert verdicts(tmp_path, submissions) == local
    assert sorted(watcher.names) == sorted(local)


def test_a_worker_that_stands_still_for_a_while_costs_nothing(dask, mini, submissions, local, tmp_path):
    """It goes on where it stood."""
    pid = dask.pids()[0]
    later = threading.Timer(1.5, os.kill, [pid, signal.SIGCONT])

    def stop() -> None:
        os.kill(pid, signal.SIGSTOP)
        later.start()

    watcher = Once(stop)
    on(dask, mini, submissions, tmp_path, watcher)
    later.join()
    assert verdicts(tmp_path, submissions) == local
    assert sorted(watcher.names) == sorted(local)


def test_an_interrupted_run_goes_on_from_there(dask, mini, submissions, local, tmp_path):
    """Ctrl-C keeps what is finished; the next run grades the rest, on the same workers."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on(dask, mini, submissions, tmp_path, Once(interrupt))
    rest = Once()
    on(dask, mini, submissions, tmp_path, rest)
    assert rest.graded == len(local) - 1
    assert verdicts(tmp_path, submissions) == local


def test_a_scheduler_that_is_killed_is_one_line(mini, submissions, local, tmp_path, monkeypatch):
    """What is finished is kept, and the next run, on this machine, grades the rest."""
    monkeypatch.setattr(cluster, "WAIT_SECONDS", 5)
    monkeypatch.setattr(cluster, "GONE_SECONDS", 2)
    with contextlib.closing(Dask(tmp_path)) as own:
        own.worker()
        with pytest.raises(ConfigError, match="the scheduler is gone"):
            on(own, mini, submissions, tmp_path / "out", Once(lambda: kill(own.scheduler)))
    rest = Once()
    grade_all(mini, handed_in([submissions], mini), tmp_path / "out", jobs=1, watcher=rest)
    assert rest.graded == len(local) - 1
    assert verdicts(tmp_path / "out", submissions) == local


def autograder(submissions: Path, address: str, out: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    arguments = ["grade", str(submissions), "-o", str(out), "--homework", str(MINI), "--scheduler", address]
    return subprocess.run(
        [sys.executable, "-c", "from autograder.cli import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
    )


def test_the_command_prints_nothing_of_dask(dask, submissions, tmp_path):
    """On standard error are our own lines only."""
    done = autograder(submissions / "right-0", dask.address, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["2 workers are alike", "right-0"]


def test_a_worker_with_another_engine_is_refused(dask, submissions, tmp_path):
    """One line names the worker and what differs."""
    shutil.copytree(ROOT / "autograder", tmp_path / "other" / "autograder")
    with open(tmp_path / "other" / "autograder" / "batch.py", "a", encoding="utf-8") as file:
        file.write("# another\n")
    other = dask.worker("--name", "zzz", PYTHONPATH=str(tmp_path / "other"))
    try:
        with distributed.Client(dask.address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=60)
            address = next(
                worker for worker, name in client.run(lambda dask_worker: dask_worker.name).items() if name == "zzz"
            )
        done = autograder(submissions, dask.address, tmp_path / "out")
    finally:
        kill(other)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "the worker tcp://127.0.0.1:" in line and "another engine" in line
    assert line.partition("the worker ")[2].partition(" ")[0] == address


def test_a_missing_scheduler_is_one_line(submissions, tmp_path, monkeypatch, mini):
    """An address where nobody listens ends the run."""
    monkeypatch.setattr(cluster, "WAIT_SECONDS", 1)
    with pytest.raises(ConfigError, match=r"tcp://127\.0\.0\.1:1 does not answer") as caught:
        ClusterGraders(mini, Options(), "tcp://127.0.0.1:1", lambda line: None)
    assert "\n" not in str(caught.value)


def test_a_submission_that_ends_worker_after_worker_is_set_aside(mini):
    """Dask gives a task up after some workers died with it: all its checks end in INTERNAL_ERROR."""

    def lost() -> bytes:
        raise distributed.KilledWorker("submission", SimpleNamespace(address="tcp://127.0.0.1:1"), 3)

    from autograder.grading import Grading

    with Grading(mini, "none") as grading:
        checks, ready = grading.checks, grading.grader.ready
    graders = ClusterGraders.__new__(ClusterGraders)
    graders.homework, graders.checks = mini, checks
    graders.versions, graders.isolation = ready["versions"], ready["isolation"]
    task = Task("digest", Submission("alice", {}, {}, ()), ("square", "cube"), None)
    result = graders._result(task, SimpleNamespace(result=lost))
    assert {check.outcome for check in result.checks} == {Outcome.INTERNAL_ERROR}
    assert {check.check.question for check in result.checks} == {"square", "cube"}
    assert result.score is None
