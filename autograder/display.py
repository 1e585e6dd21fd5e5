"""What a terminal shows while a class is graded: bars, or lines where nobody watches. Knows nothing of grading."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from .batch import Watcher
from .results import CheckResult, Outcome, SubmissionResult, Summary


def progress_bar(console: Console) -> Progress:
    """A bar for long work; nothing where nobody watches."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class ClassProgress(Watcher):
    """Shows how a class is coming on: how many are done, at what rate, how long it will take, how checks end.

    Args:
        console: where to; lines of finished submissions go there if it is no terminal.
    """

    def __init__(self, console: Console):
        self.console = console
        self.lock = threading.Lock()
        self.counts: collections.Counter[str] = collections.Counter()
        self.graded = self.done = self.of = 0
        self.summaries: list[Summary] = []
        self.began = time.monotonic()
        self.only: SubmissionResult | None = None  # if there is only one
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
        )
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.whole = self.progress.add_task("starting", total=None, rate="")

    def __enter__(self) -> ClassProgress:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def interrupted(self) -> None:
        """Say what was finished, and how to go on."""
        if self.of > 1:
            self.say(
                f"interrupted: {self.done} of {self.of} submissions are finished; the same command goes on from there"
            )

    def begin(self, submissions: int, checks: int) -> None:
        """Show a bar of submissions; of checks, where there is only one."""
        self.of, self.began = submissions, time.monotonic()
        if submissions == 1:
            self.progress.update(self.whole, description="checks", total=checks)
        else:
            self.progress.update(self.whole, description="submissions", total=submissions)

    def started(self, name: str) -> None:
        """Show what is graded, where there is only one."""
        if self.of == 1:
            self.progress.update(self.whole, description=name[:30])

    def checked(self, result: CheckResult) -> None:
        """Advance the bar of checks."""
        if self.of == 1:
            self._count({result.outcome.value: 1})
            self.progress.advance(self.whole)

    def finished(self, summary: Summary, result: SubmissionResult) -> None:
        """Advance, and say a line where nobody watches."""
        self.graded += summary.graded
        self.done += 1
        if self.of == 1:
            self.only = result
        else:
            self._count(summary.counts)
            self.progress.advance(self.whole)
        if not self.console.is_terminal:
            score = "withheld" if summary.score is None else f"{summary.score:g}/{summary.max_score:g}"
            how = f"{summary.seconds:.1f} s" if summary.graded else "as before"
            self.say(f"{summary.name}: {score} ({how})")

    def _count(self, outcomes: Mapping[str, int]) -> None:
        """Show how checks ended so far, and how many submissions a minute are graded."""
        with self.lock:
            self.counts.update(outcomes)
            text = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in Outcome if self.counts[outcome])
        seconds = time.monotonic() - self.began
        rate = f"{60 * self.graded / seconds:.1f}/min, " if self.of > 1 else ""
        self.progress.update(self.whole, rate=f"{rate}{text}")
