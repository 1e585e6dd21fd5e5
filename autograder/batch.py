"""Grades a class: many submissions at a time, each result kept as it comes, and nothing graded again without need.

`grade_all` decides what has to be run, hands it to graders, here (`LocalGraders`) or on a cluster (`cluster`), and
writes down what comes back: `OUT/<name>/results.json` and `feedback.html`, then the gradebook.
"""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from . import fingerprint, gradebook, pages, reports
from .attempts import Handed, accept, best, counting
from .config import Homework, Sample, Waiver, load_waivers
from .errors import ConfigError, IsolationError
from .fingerprint import Fingerprint
from .gradebook import Gradebook, Row
from .grading import MAX_GRADERS, Grading, decided, set_aside
from .results import CheckInfo, CheckResult, Outcome, SubmissionResult, Summary, summarise
from .submissions import Submission

AHEAD = 2  # submissions that wait, read, for each that is graded
JOB_MEMORY = 1536 << 20  # bytes that a grader, its zygote and a worker may come to


@dataclass(frozen=True)
class Options:
    """How submissions are graded.

    Attributes:
        isolation: `auto`, `container`, `sandbox`, `process` or `none`.
        required: layers that must be in force.
        limits: replaces some of the homework's limits.
        waivers: a class's, besides the homework's own.
    """

    isolation: str = "auto"
    required: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    waivers: Sequence[Waiver] = ()

    def grading(self, homework: Homework) -> Grading:
        """A warm grader."""
        return Grading(homework, self.isolation, self.limits, self.required, self.waivers)


@dataclass(frozen=True)
class Task:
    """One submission to be graded, for all the names that it was handed in under.

    Attributes:
        digest: of what is graded.
        submission: what was handed in.
        questions: grade these.
        kept: verdicts that still hold.
    """

    digest: str
    submission: Submission
    questions: Sequence[str]
    kept: SubmissionResult | None


class Watcher:
    """Told what happens while a class is graded; does nothing with it. Calls may come from several threads."""

    def begin(self, submissions: int, checks: int) -> None:
        """So many submissions there are, of so many checks each."""

    def started(self, name: str) -> None:
        """A submission is about to be graded."""

    def checked(self, result: CheckResult) -> None:
        """A check has its verdict."""

    def finished(self, summary: Summary, result: SubmissionResult) -> None:
        """A submission's result is kept."""


class Graders(Protocol):
    """Whoever grades tasks, several at a time.

    Attributes:
        checks: as collected.
        versions: of Python and of packages.
        isolation: as results report it.
        capacity: how many tasks to hand over before waiting for one.
    """

    checks: Sequence[CheckInfo]
    versions: Mapping[str, str]
    isolation: Mapping[str, Any]

    @property
    def capacity(self) -> int: ...  # noqa: D102

    def submit(self, task: Task) -> None:
        """Take a task."""

    def finished(self) -> tuple[Task, SubmissionResult]:
        """Wait for the next task to be done."""

    def close(self) -> None:
        """End all that runs."""


def grade_all(
    homework: Homework,
    handed: Sequence[Handed],
    out: Path,
    options: Options = Options(),
    *,
    questions: Sequence[str] | None = None,
    choice: str = "latest",
    jobs: int | None = None,
    regrade: bool = False,
    graders: Callable[[], Graders] | None = None,
    watcher: Watcher | None = None,
) -> list[Summary]:
    """Grade what was handed in, as far as it has changed, and keep the results in a folder.

    Args:
        homework: the homework.
        handed: all attempts; those that may count are graded, and all are kept in the gradebook.
        out: the folder for the results; made if it is missing.
        options: how.
        questions: grade only these; all if None. Of others, what still holds is kept.
        choice: which attempt counts: `latest`, `active`, `best` or `all`.
        jobs: how many submissions are graded at a time; as many as this machine can, if None.
        regrade: grade also what is as it was.
        graders: makes who grades; graders on this machine by default.
        watcher: told what happens.

    Returns:
        A summary of each that counts, in the same order; of `best`, once that is known.

    Raises:
        ConfigError: the homework is wrong, or the results cannot be written.
        IsolationError: this machine cannot isolate as asked.
    """
    prepare(out)
    watcher = watcher or Watcher()
    make = graders or (lambda: LocalGraders(homework, options, jobs or likely_jobs(len(handed)), watcher.checked))
    with Gradebook(out) as book, contextlib.closing(make()) as own:
        batch = _Batch(homework, options, book, own, out, watcher, questions, regrade)
        chosen = counting(handed, choice)
        book.hand_in(handed, {entry.name for entry in chosen})
        batch.run(chosen)
        if choice == "best":
            names = best(chosen, {name: summary.score for name, summary in batch.summaries.items()})
            book.hand_in(handed, names)
            chosen = [entry for entry in chosen if entry.name in names]
        return [batch.summaries[entry.name] for entry in chosen]


class _Batch:
    """One run over a class."""

    def __init__(
        self,
        homework: Homework,
        options: Options,
        book: Gradebook,
        graders: Graders,
        out: Path,
        watcher: Watcher,
        questions: Sequence[str] | None,
        regrade: bool,
    ):
        self.homework, self.book, self.graders, self.out, self.watcher = homework, book, graders, out, watcher
        self.regrade = regrade
        self.waivers = (*load_waivers(homework), *options.waivers)
        self.asked = {
            question.name for question in homework.questions if questions is None or question.name in questions
        }
        self.print = fingerprint.of_homework(
            homework, graders.checks, graders.versions, graders.isolation, options.limits
        )
        self.number = book.start(self._run(self.print, options))
        self.flying: dict[str, list[Handed]] = {}  # by digest, who waits for its result
        self.summaries: dict[str, Summary] = {}

    def _run(self, print: Fingerprint, options: Options) -> gradebook.Run:
        of = self.graders
        isolation = dict(of.isolation)
        limits = dict(options.limits)
        return gradebook.Run(
            print.homework, print.engine, self.homework.title, of.versions, isolation, limits, print.checks
        )

    def run(self, handed: Sequence[Handed]) -> None:
        """Grade everything; at any time only a few submissions are in memory."""
        chosen = [check for check in self.graders.checks if check.question in self.asked]
        self.watcher.begin(len(handed), len(chosen))
        waiting = iter(fair(handed))
        more = True
        while more or self.flying:
            while more and len(self.flying) < self.graders.capacity:
                entry = next(waiting, None)
                more = entry is not None
                if entry is not None:
                    self._begin(entry)
            if self.flying:
                self._finish(*self.graders.finished())
        self.book.finish(self.number)

    def _begin(self, entry: Handed) -> None:
        """Find out what has to be run of a submission, and have it run."""
        submission = accept(entry, self.homework)
        digest = fingerprint.of_submission(submission, self.waivers)
        if digest in self.flying:
            self.flying[digest].append(entry)
            return
        kept, of = (None, None) if self.regrade else self._held(entry.name, digest)
        questions = self._questions(kept)
        left = [c.id for c in self.graders.checks if c.question in questions]
        if kept is not None and of is not None and {result.check.id for result in kept.checks} >= set(left):
            self._conclude(entry, submission, digest, kept, of)
            return
        self.watcher.started(entry.name)
        self.flying[digest] = [entry]
        self.graders.submit(Task(digest, submission, questions, kept))

    def _held(self, name: str, digest: str) -> tuple[SubmissionResult | None, Row | None]:
        """Of an earlier result of the same files, the verdicts that still hold."""
        row = self.book.row(name)
        if row is None or row.submission != digest:
            row = self.book.row_of(digest)
        if row is None:
            return None, None
        now = self.print.checks
        holds = [
            result
            for result in row.result.checks
            if result.outcome is not Outcome.INTERNAL_ERROR
            and now.get(result.check.id, "") == row.run.checks.get(result.check.id)
        ]
        return replace(row.result, checks=tuple(holds)), row

    def _questions(self, kept: SubmissionResult | None) -> list[str]:
        """The questions that are asked for, and those of which all is known anyway."""
        have = {result.check.id for result in kept.checks} if kept is not None else set()
        left = {check.question for check in self.graders.checks if check.id not in have}
        names = [question.name for question in self.homework.questions]
        return [name for name in names if name in self.asked or name not in left]

    def _conclude(self, entry: Handed, submission: Submission, digest: str, kept: SubmissionResult, row: Row) -> None:
        """All verdicts are there: score them with what they are worth now, and keep that, unless it is the same."""
        held = {result.check.id: result for result in kept.checks}
        checks = [replace(held[check.id], check=check) for check in self.graders.checks if check.id in held]
        result = decided(self.homework, replace(submission, name=entry.name), checks, kept)
        written = all((self.out / entry.name / file).is_file() for file in ("results.json", "feedback.html"))
        if row.name != entry.name or result != row.result or not written:
            self._keep(entry, submission, digest, result)
        self._tell(entry, result, graded=False)

    def _finish(self, task: Task, result: SubmissionResult) -> None:
        for entry in self.flying.pop(task.digest):
            own = replace(result, name=entry.name)
            self._keep(entry, task.submission, task.digest, own)
            self._tell(entry, own, graded=True)

    def _keep(self, entry: Handed, submission: Submission, digest: str, result: SubmissionResult) -> None:
        write(self.out / entry.name, result, self.homework.title)
        self.book.keep(self.number, entry.name, digest, submission, result, reports.SEED)  # last: with it, all is there

    def _tell(self, entry: Handed, result: SubmissionResult, *, graded: bool) -> None:
        summary = summarise(result, graded=graded)
        self.summaries[entry.name] = summary
        self.watcher.finished(summary, result)


def fair(handed: Iterable[Handed]) -> list[Handed]:
    """The order in which to grade: everybody's newest attempt first, then everybody's next, so that none waits long."""
    newest = sorted(handed, key=lambda entry: -entry.attempt)
    seen: collections.Counter[str] = collections.Counter()
    ranked = []
    for entry in newest:
        ranked.append((seen[entry.identity], entry.name, entry))
        seen[entry.identity] += 1
    return [entry for _, _, entry in sorted(ranked, key=lambda item: item[:2])]


def likely_jobs(submissions: int) -> int:
    """How many submissions to grade at a time: a processor and enough memory for each."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(submissions, processors, _free_memory() // JOB_MEMORY))


def _free_memory() -> int:
    """Bytes that can be had without swapping, where the system tells."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return 1 << 62


# -- graders on this machine -------------------------------------------------------------------------------------------


class LocalGraders:
    """Warm graders on this machine, each with a zygote of its own and a thread that supervises it.

    Args:
        homework: the homework.
        options: how to grade.
        jobs: how many there may be; each is started when there is work for it.
        checked: told about each check's verdict, from several threads.
    """

    def __init__(self, homework: Homework, options: Options, jobs: int, checked: Callable[[CheckResult], None]):
        self.homework, self.options, self.jobs, self.checked = homework, options, jobs, checked
        self.todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self.done: queue.SimpleQueue[tuple[Task, SubmissionResult] | BaseException] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.closed = False
        self.under_way = 0  # tasks that were taken and have not come back
        self.threads: list[threading.Thread] = []
        self.gradings: set[Grading] = set()
        self.spare: Grading | None = self._start()
        self.checks: Sequence[CheckInfo] = self.spare.checks
        self.versions: Mapping[str, str] = self.spare.grader.ready["versions"]
        self.isolation: Mapping[str, Any] = self.spare.grader.ready["isolation"]

    @property
    def capacity(self) -> int:
        """All that are graded, and some that wait."""
        return self.jobs * AHEAD

    def submit(self, task: Task) -> None:
        """Take a task."""
        self.under_way += 1
        if self.under_way > len(self.threads) < self.jobs:
            thread = threading.Thread(target=self._work, name=f"grader {len(self.threads) + 1}", daemon=True)
            self.threads.append(thread)
            thread.start()
        self.todo.put(task)

    def finished(self) -> tuple[Task, SubmissionResult]:
        """Wait for the next task to be done.

        Raises:
            AutograderError: nothing can be graded any more.
        """
        found = self.done.get()
        if isinstance(found, BaseException):
            raise found
        self.under_way -= 1
        return found

    def close(self) -> None:
        """End all graders, whatever they are at."""
        with self.lock:
            self.closed = True
            gradings = list(self.gradings)
        for _ in self.threads:
            self.todo.put(None)
        for grading in gradings:
            grading.abandon()
        for thread in self.threads:
            thread.join(10)
        for grading in gradings:
            grading.close()

    def _start(self) -> Grading:
        """Start a grader, behind the same layers as the others."""
        grading = self.options.grading(self.homework)
        with self.lock:
            self.gradings.add(grading)
            late = self.closed
        now = grading.grader.ready["isolation"]["layers"]
        before = self.isolation["layers"] if hasattr(self, "isolation") else now
        if late or now != before:
            grading.close()
            raise IsolationError(
                "grading was given up" if late else f"the layers in force changed, from {before} to {now}"
            )
        return grading

    def _work(self) -> None:
        """Grade, in a thread, until there is no more."""
        try:
            with self.lock:
                grading, self.spare = self.spare, None
            grading = grading or self._start()
            while (task := self.todo.get()) is not None:
                grading, result = self._grade(grading, task)
                self.done.put((task, result))
        except BaseException as error:
            self.done.put(error)

    def _grade(self, grading: Grading, task: Task) -> tuple[Grading, SubmissionResult]:
        """Grade with one grader, or else with another; a submission that ends all of them is set aside."""
        reason = ""
        for _ in range(MAX_GRADERS):
            try:
                return grading, grading.grade(task.submission, task.questions, self.checked, kept=task.kept)
            except ConfigError:
                raise  # the homework's: it would be so with every submission
            except Exception as error:
                reason = f"{set_aside(MAX_GRADERS)}: {type(error).__name__}: {error}"
                with self.lock:
                    self.gradings.discard(grading)
                grading.close()
                grading = self._start()
        return grading, aside(self.homework, task, self, reason)


def aside(homework: Homework, task: Task, graders: Graders, reason: str) -> SubmissionResult:
    """The result of a submission that could not be graded: every check that was asked for ended in INTERNAL_ERROR."""
    checks = [check for check in graders.checks if check.question in task.questions]
    verdicts = [CheckResult(check, Outcome.INTERNAL_ERROR, reason) for check in checks]
    empty = SubmissionResult(task.submission.name, (), (), dict(graders.isolation), dict(graders.versions))
    return decided(homework, task.submission, verdicts, empty)


# -- files -------------------------------------------------------------------------------------------------------------


def prepare(out: Path) -> None:
    """Make the folder for the results, and find out now whether it can be written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ConfigError(f"the results cannot be written to {out}: {error.strerror}") from error


def write(folder: Path, result: SubmissionResult, title: str) -> None:
    """Write a submission's page and results, each whole or not at all.

    Raises:
        ConfigError: they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reports.write_text(folder / "feedback.html", pages.feedback_page(result, title))
        reports.write_json(folder / "results.json", reports.results_json(result))  # last: with it, all is there
    except OSError as error:
        raise ConfigError(f"the results cannot be written to {folder}: {error.strerror}") from error


# -- the demo ----------------------------------------------------------------------------------------------------------


def shortfalls(sample: Sample, result: SubmissionResult) -> list[str]:
    """How a result of the demo differs from what must come of it, a line each."""
    if sample.score is not None:
        same = result.score is not None and abs(result.score - sample.score) < 1e-6
        return [] if same else [f"{sample.name}: {result.score} points instead of {sample.score:g}"]
    found = []
    for question in result.questions:
        full = question.score == question.points
        if full == (question.name in sample.loses):
            found.append(f"{sample.name}: {question.name} {'lost no' if full else 'lost'} points")
    return found


def assemble(homework: Homework, overlays: Sequence[str], folder: Path) -> None:
    """Make a submission: the solution's files, and over them the Python files of other folders of the homework.

    Args:
        homework: the homework.
        overlays: folders, or single files, relative to the homework; later ones win.
        folder: where to; made anew.

    Raises:
        ConfigError: an overlay does not exist.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in homework.by_file:
        shutil.copyfile(homework.path(homework.solutions) / file, folder / file)
    for overlay in overlays:
        path = homework.path(overlay)
        if path.is_file():
            # solutions/mutants/<question>/<mistake>.py replaces that question's file
            shutil.copyfile(path, folder / f"{path.parent.name}.py")
        elif path.is_dir():
            for source in sorted(path.glob("*.py")):
                shutil.copyfile(source, folder / source.name)
        else:
            raise ConfigError(f"{path} does not exist")
