"""Grades many submissions, one after the other, and writes each one's results as they come."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import pages, reports
from .config import Homework, Sample, Waiver
from .errors import ConfigError, SubmissionError
from .exports import Handed
from .grading import Grading
from .results import CheckResult, SubmissionResult
from .submissions import Submission

Started = Callable[[str, int], None]  # a submission's name, and how many checks it will have
Checked = Callable[[CheckResult], None]
Finished = Callable[[SubmissionResult], None]


def grade_all(
    homework: Homework,
    submissions: Iterable[Handed],
    out: Path,
    *,
    isolation: str = "auto",
    required: Sequence[str] = (),
    questions: Sequence[str] | None = None,
    limits: Mapping[str, float] | None = None,
    waivers: Sequence[Waiver] = (),
    started: Started = lambda name, checks: None,
    checked: Checked = lambda result: None,
    finished: Finished = lambda result: None,
) -> list[SubmissionResult]:
    """Grade submissions and write `OUT/<name>/results.json` for each.

    Args:
        homework: the homework.
        submissions: what was handed in; each is read when its turn comes.
        out: the folder for the results; made if it is missing.
        isolation: `auto`, `container`, `sandbox`, `process` or `none`.
        required: layers that must be in force.
        questions: grade only these; all if None.
        limits: replaces some of the homework's limits.
        waivers: a class's, besides the homework's own.
        started: told about each submission before it is graded.
        checked: told about each check's result.
        finished: told about each submission's result.

    Raises:
        ConfigError: the homework is wrong, or the results cannot be written.
        IsolationError: this machine cannot isolate as asked.
    """
    results = []
    _prepare(out)
    with Grading(homework, isolation, limits, required, waivers) as grading:
        chosen = [check for check in grading.checks if questions is None or check.question in questions]
        for handed in submissions:
            started(handed.name, len(chosen))
            result = grading.grade(read(handed, homework), questions, checked)
            _write(out / handed.name, result, homework.title)
            results.append(result)
            finished(result)
    return results


def _prepare(out: Path) -> None:
    """Make the folder for the results, and find out now whether it can be written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ConfigError(f"the results cannot be written to {out}: {error.strerror}") from error


def read(handed: Handed, homework: Homework) -> Submission:
    """Read a submission; one that cannot be read is graded all the same, and every check says why it failed."""
    try:
        submission = handed.read(homework)
    except SubmissionError as error:
        submission = Submission(handed.name, {}, dict.fromkeys(homework.by_file, str(error)), (str(error),))
    return replace(submission, notes=(handed.note, *submission.notes)) if handed.note else submission


def _write(folder: Path, result: SubmissionResult, title: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reports.write_text(folder / "feedback.html", pages.feedback_page(result, title))
        reports.write_json(folder / "results.json", reports.results_json(result))  # last: with it, all is there
    except OSError as error:
        raise ConfigError(f"the results cannot be written to {folder}: {error.strerror}") from error


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
