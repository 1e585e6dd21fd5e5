"""Grades on a Dask cluster: each of its workers grades with warm graders and a sandbox of its own.

What travels is content: the homework and each submission are values under their digests, which workers keep for as
long as somebody needs them, and get from each other; results are bytes of JSON. Before anything is graded, all workers
say what they are, and they must be alike. Dask itself pickles its messages, so its machines trust each other; student
code is in none of its processes.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import queue
import secrets
import tempfile
import threading
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from . import bundles, fingerprint
from .batch import Options, Task, aside
from .config import Homework, Waiver, load_homework
from .errors import AutograderError, ConfigError, IsolationError
from .grading import MAX_GRADERS, Grading, set_aside
from .results import CheckInfo, SubmissionResult, submission_result_from_json, to_json
from .submissions import submission_from_json, submission_json

ASK_SECONDS = 2  # between two looks at who is there
GONE_SECONDS = 15  # without the scheduler
WAIT_SECONDS = 20  # for a first worker, and for an answer of the scheduler
START_SECONDS = 600  # for every worker to import torch and collect the checks
AHEAD = 2  # tasks for each thread of a worker
GONE = "the scheduler is gone; what is finished is kept: run the same again"
ALIKE = ("engine", "homework", "versions", "isolation")  # what workers must not differ in


class ClusterGraders:
    """Graders on the workers of a Dask cluster; see `batch.Graders`.

    Args:
        homework: the homework.
        options: how to grade.
        address: of the scheduler, such as `tcp://10.0.0.1:8786`.
        tell: told, a line each, what happens to the cluster.

    Raises:
        ConfigError: the scheduler does not answer, or has no workers, or they are not alike.
        IsolationError: a worker cannot isolate as asked.
    """

    def __init__(self, homework: Homework, options: Options, address: str, tell: Callable[[str], None]):
        try:
            import distributed
        except ImportError as error:
            raise ConfigError(
                "--scheduler needs the extra `cluster`: pip install 'torch-autograder[cluster]'"
            ) from error
        self.homework, self.options, self.tell = homework, options, tell
        self.settings = _settings(options)
        self.tasks: dict[str, tuple[Task, Any]] = {}  # by key, with its future
        self.done: queue.SimpleQueue[str] = queue.SimpleQueue()  # keys
        self.run = secrets.token_hex(8)  # results of other runs have other keys
        self.numbers = itertools.count()
        self.lonely = False
        self.threads, self.asked, self.seen = 0, 0.0, time.monotonic()  # of all workers; when asked, when it answered
        try:
            self.client = distributed.Client(address, timeout=WAIT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConfigError(f"the scheduler {address} does not answer: {error}") from error
        try:
            self._begin()
        except BaseException:
            self.client.close()
            raise

    def _begin(self) -> None:
        """Send the homework, and have all workers start a grader and say what they are."""
        files = bundles.homework_files(self.homework)
        self.digest = fingerprint.of_files(files)
        self.content = self._sent("homework", self.digest, bundles.zip_bytes(dict(files)))
        told = self._described()
        first = {**next(iter(told.values())), "engine": fingerprint.engine(), "homework": self.digest}
        for worker, one in told.items():
            _expect_alike(worker, one, first)
        self.expected = {name: first[name] for name in ALIKE}
        self.checks: Sequence[CheckInfo] = [CheckInfo(**check) for check in first["checks"]]
        self.versions: Mapping[str, str] = first["versions"]
        self.isolation: Mapping[str, Any] = first["reported"]
        of = f"isolation {self.isolation['mode']}, torch {self.versions['torch']}"
        self.tell(f"{len(told)} workers are alike: {of}")

    def _sent(self, kind: str, digest: str, content: bytes) -> Any:
        """Send something under its digest, unless the cluster has it; what holds it where it is needed."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
            return self.client.submit(bytes, content, key=f"{kind}-{digest}", pure=True)

    def _described(self) -> dict[str, dict[str, Any]]:
        """What each worker says of itself, by its address."""
        workers = self._workers(WAIT_SECONDS)
        asked = (describe, self.content, self.digest, self.settings)
        futures = {worker: self.client.submit(*asked, workers=[worker], pure=False) for worker in workers}
        found = {}
        deadline = time.monotonic() + START_SECONDS
        for worker, future in futures.items():
            while not future.done():
                if worker not in self._workers(0):
                    break
                if time.monotonic() > deadline:
                    raise ConfigError(f"the worker {worker} did not start a grader within {START_SECONDS} seconds")
                time.sleep(0.05)
            if future.done():
                found[worker] = _told(worker, future.result())
        if not found:
            raise ConfigError("all workers of the cluster were lost before they had started: see their logs")
        return found

    def _workers(self, seconds: float) -> list[str]:
        """The workers' addresses; waits for a first one."""
        deadline = time.monotonic() + seconds
        while True:
            found = sorted(self.client.nthreads())  # asks; `scheduler_info` tells what was so some seconds ago
            if found or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if not found and seconds:
            raise ConfigError(f"the cluster has no workers after {seconds:g} seconds: start some with `dask worker`")
        return found

    @property
    def capacity(self) -> int:
        """Enough for all threads of all workers that there are now."""
        if self.client.status == "running" and time.monotonic() - self.asked > ASK_SECONDS:
            with contextlib.suppress(OSError):  # a scheduler that is gone shows in `finished`
                self.threads = sum(self.client.nthreads().values())
            self.asked = time.monotonic()
        return max(1, self.threads) * AHEAD

    def submit(self, task: Task) -> None:
        """Take a task: what was handed in, and what is asked about it."""
        content = json.dumps(submission_json(task.submission)).encode()
        digest = fingerprint.digest(content)
        submission = self._sent("submission", digest, content)
        asked = {
            "homework": self.digest,
            "settings": self.settings,
            "expected": self.expected,
            "submission": digest,
            "name": task.submission.name,
            "questions": list(task.questions),
            "kept": None if task.kept is None else to_json(task.kept),
        }
        key = f"grade-{task.digest}-{self.run}-{next(self.numbers)}"
        future = self.client.submit(grade, self.content, submission, json.dumps(asked), key=key, pure=False)
        self.tasks[key] = (task, future)
        future.add_done_callback(lambda done: self.done.put(done.key))

    def finished(self) -> tuple[Task, SubmissionResult]:
        """Wait for the next task to be done.

        Raises:
            ConfigError: the cluster is gone, or a worker that joined is unlike the others.
        """
        while True:
            try:
                task, future = self.tasks.pop(self.done.get(timeout=1))
                return task, self._result(task, future)
            except queue.Empty:
                self._expect_cluster()

    def _result(self, task: Task, future: Any) -> SubmissionResult:
        """What came of a task; one that worker after worker is lost with is set aside."""
        import distributed

        try:
            told = _told("a worker", future.result())
        except distributed.KilledWorker:
            return aside(self.homework, task, self, f"{set_aside(MAX_GRADERS)}: worker after worker was lost with it")
        except distributed.CancelledError as error:
            raise ConfigError(GONE) from error
        return submission_result_from_json(told["result"])

    def _expect_cluster(self) -> None:
        """Say when there is nobody left who could grade, once; a scheduler that is gone does not come back."""
        if self.client.status == "running":
            self.seen = time.monotonic()
        elif self.client.status == "closed" or time.monotonic() - self.seen > GONE_SECONDS:
            raise ConfigError(GONE)
        lonely = self.capacity > 0 and not self.threads  # looking at the first looks who is there
        if lonely and not self.lonely:
            self.tell("the cluster has no workers left: waiting for one")
        self.lonely = lonely

    def close(self) -> None:
        """Leave the cluster; what still runs there is not waited for."""
        with contextlib.suppress(TimeoutError, OSError):
            self.client.cancel([future for _, future in self.tasks.values()], force=True)
        self.client.close(timeout=10)


def _settings(options: Options) -> str:
    """Options as text that is the same for the same options."""
    waivers = [waiver.model_dump() for waiver in options.waivers]
    of = {"isolation": options.isolation, "required": list(options.required), "limits": dict(options.limits)}
    return json.dumps({**of, "waivers": waivers}, sort_keys=True)


def _told(worker: str, data: bytes) -> dict[str, Any]:
    """What a worker answered.

    Raises:
        ConfigError, IsolationError: it cannot do its part.
    """
    told = dict(json.loads(data))
    if "error" in told:
        kind = IsolationError if told["kind"] == "IsolationError" else ConfigError
        raise kind(f"{worker}: {told['error']}")
    return told


def _expect_alike(worker: str, one: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    for name in ALIKE:
        if one[name] != first[name]:
            raise ConfigError(f"the worker {worker} is unlike the others: {_difference(name, one[name], first[name])}")


def _difference(name: str, one: Any, other: Any) -> str:
    """What differs, in a few words."""
    if not isinstance(one, dict):
        return f"another {name}"
    differs = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return "; ".join(f"{name}: {key} {one.get(key)} instead of {other.get(key)}" for key in differs)


# -- on the workers ----------------------------------------------------------------------------------------------------


class _Bench:
    """Warm graders of one homework, and the folder that it was unpacked to, for as long as this worker lives."""

    def __init__(self, content: bytes, digest: str, settings: Mapping[str, Any]):
        self.folder = tempfile.TemporaryDirectory(prefix="homework-")  # mode 0700
        with zipfile.ZipFile(BytesIO(content)) as archive:
            archive.extractall(self.folder.name)
        self.homework = load_homework(Path(self.folder.name))
        if fingerprint.of_files(bundles.homework_files(self.homework)) != digest:
            raise ConfigError("the homework did not arrive as it was sent")
        waivers = [Waiver.model_validate(waiver) for waiver in settings["waivers"]]
        self.options = Options(settings["isolation"], settings["required"], settings["limits"], waivers)
        self.idle: list[Grading] = []

    def take(self) -> Grading:
        """A grader that nobody else uses."""
        with _lock:
            if self.idle:
                return self.idle.pop()
        return self.options.grading(self.homework)

    def give_back(self, grading: Grading) -> None:
        """Lend a grader to whoever comes next."""
        with _lock:
            self.idle.append(grading)


_lock = threading.Lock()
_benches: dict[tuple[str, str], _Bench] = {}


def _bench(content: bytes, digest: str, settings: str) -> _Bench:
    with _lock:
        if (digest, settings) not in _benches:
            _benches[digest, settings] = _Bench(content, digest, json.loads(settings))
        return _benches[digest, settings]


def _answering(work: Callable[..., dict[str, Any]]) -> Callable[..., bytes]:
    """Have a task return bytes of JSON, also where it cannot be done."""

    @functools.wraps(work)
    def answer(*arguments: Any) -> bytes:
        try:
            told = work(*arguments)
        except AutograderError as error:
            told = {"error": str(error), "kind": type(error).__name__}
        return json.dumps(told).encode()

    return answer


def _facts(grading: Grading, homework: str) -> dict[str, Any]:
    """What graders of one run must not differ in."""
    isolation = grading.grader.ready["isolation"]
    return {
        "engine": fingerprint.engine(),
        "homework": homework,
        "versions": grading.grader.ready["versions"],
        "isolation": {"mode": isolation["mode"], "layers": isolation["layers"]},
    }


@_answering
def describe(content: bytes, digest: str, settings: str) -> dict[str, Any]:
    """Start a grader, and say what it is.

    Args:
        content: the homework, as a zip.
        digest: of its files.
        settings: of `Options`.
    """
    bench = _bench(content, digest, settings)
    grading = bench.take()
    told = {**_facts(grading, digest), "checks": [vars(check) for check in grading.checks]}
    bench.give_back(grading)
    return {**told, "reported": grading.grader.ready["isolation"]}


@_answering
def grade(homework: bytes, content: bytes, request: str) -> dict[str, Any]:
    """Grade one submission.

    Args:
        homework: as a zip.
        content: of the submission, as JSON.
        request: the digests of both, what this worker must be, the questions, and the verdicts that hold, as JSON.
    """
    asked = json.loads(request)
    if fingerprint.digest(content) != asked["submission"]:
        raise ConfigError("a submission did not arrive as it was sent")
    bench = _bench(homework, asked["homework"], asked["settings"])
    grading = bench.take()
    try:
        _expect_alike("that graded", _facts(grading, asked["homework"]), asked["expected"])
        submission = submission_from_json(asked["name"], json.loads(content))
        kept = None if asked["kept"] is None else submission_result_from_json(asked["kept"])
        result = grading.grade(submission, asked["questions"], kept=kept)
    except BaseException:
        grading.close()
        raise
    bench.give_back(grading)
    return {"result": to_json(result)}
