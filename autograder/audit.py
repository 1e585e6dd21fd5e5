"""Looks again at results that are kept: grades a sample anew and compares, or reproduces one verdict on the spot."""

from __future__ import annotations

import random
import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from . import fingerprint
from .batch import LocalGraders, Options, Task, Watcher, likely_jobs
from .config import Homework
from .errors import ConfigError
from .gradebook import Gradebook, Row
from .results import CheckInfo, CheckResult, SubmissionResult, summarise


@dataclass(frozen=True)
class Difference:
    """A check whose verdict did not come again."""

    name: str
    check: str
    then: str
    now: str


@dataclass(frozen=True)
class Verification:
    """What came of grading a sample again.

    Attributes:
        names: the sample.
        of: how many results there are.
        checks: how many verdicts were compared.
        differences: those that did not come again.
        notes: what differs between then and now, a line each.
    """

    names: tuple[str, ...]
    of: int
    checks: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def verify(
    homework: Homework, out: Path, options: Options, *, sample: int, seed: int, jobs: int, watcher: Watcher
) -> Verification:
    """Grade a random sample of the kept submissions again, from the files that are kept with them, and compare.

    Args:
        homework: the homework.
        out: the folder with the gradebook.
        options: how to grade.
        sample: how many; all if there are fewer.
        seed: of the choice.
        jobs: how many at a time.
        watcher: told what happens.

    Raises:
        ConfigError: there is no gradebook, or nothing in it.
    """
    with Gradebook(out, write=False) as book:
        names = book.names()
        if not names:
            raise ConfigError(f"{book.path} has no results yet")
        chosen = sorted(random.Random(seed).sample(names, min(sample, len(names))))
        differences: list[Difference] = []
        notes: dict[str, None] = {}
        checks = 0
        with closing(LocalGraders(homework, options, min(jobs, likely_jobs(len(chosen))), watcher.checked)) as graders:
            now = fingerprint.of_homework(homework, graders.checks, graders.versions, graders.isolation, options.limits)
            watcher.begin(len(chosen), len(graders.checks))
            waiting = list(chosen)
            flying: dict[str, Row] = {}
            while waiting or flying:
                while waiting and len(flying) < graders.capacity:
                    row = _row(book, waiting.pop(0))
                    questions = [question.name for question in row.result.questions]
                    flying[row.name] = row
                    watcher.started(row.name)
                    files = book.submission(row.submission, row.name)
                    graders.submit(Task(row.name, files, questions, None))
                task, result = graders.finished()
                row = flying.pop(task.digest)
                notes |= dict.fromkeys(_changes(row, now, result))
                checks += len(row.result.checks)
                differences += _differences(row, result)
                watcher.finished(summarise(result), result)
    return Verification(tuple(chosen), len(names), checks, tuple(differences), tuple(notes))


def _row(book: Gradebook, name: str) -> Row:
    row = book.row(name)
    if row is None:
        raise ConfigError(f"{book.path} has no result of {name}")
    return row


def _changes(row: Row, now: fingerprint.Fingerprint, result: SubmissionResult) -> list[str]:
    """What is not as it was when a result was kept."""
    found = []
    if row.run.homework != now.homework:
        found.append("the homework has changed since some of these were graded")
    if row.run.engine != now.engine:
        found.append("the autograder has changed since some of these were graded")
    for name, version in row.result.versions.items():
        if result.versions.get(name) != version:
            found.append(f"{name} was {version}, and is {result.versions.get(name)}")
    then, layers = row.result.isolation, result.isolation
    if (then.get("mode"), then.get("layers")) != (layers.get("mode"), layers.get("layers")):
        found.append(f"isolation was {then.get('mode')}, and is {layers.get('mode')}, or has other layers")
    return found


def _differences(row: Row, result: SubmissionResult) -> list[Difference]:
    now = result.outcomes()
    return [
        Difference(row.name, check, outcome.value, now[check].value if check in now else "not there")
        for check, outcome in row.result.outcomes().items()
        if now.get(check) is not outcome
    ]


@dataclass(frozen=True)
class Reproduced:
    """One verdict, then and now.

    Attributes:
        row: the result as it is kept.
        then: the check's result in it.
        now: what came of running the check alone.
        command: does the same, for all checks of the question, by hand.
        notes: what is not as it was.
    """

    row: Row
    then: CheckResult
    now: CheckResult
    command: str
    notes: tuple[str, ...]


def reproduce(homework: Homework, out: Path, who: str, check: str, options: Options, files: Path) -> Reproduced:
    """Run one check on a kept submission once more.

    Args:
        homework: the homework.
        out: the folder with the gradebook.
        who: a submission's name, or a student's name or identity; then the attempt that counts is meant.
        check: a check's id, or a part of it that no other has.
        options: how to grade.
        files: where to write what was handed in.

    Raises:
        ConfigError: there is no such submission or check, or several.
    """
    with Gradebook(out, write=False) as book:
        row = _row(book, find_name(book, who))
        then = find_check([result.check for result in row.result.checks], check)
        submission = book.submission(row.submission, row.name)
    _write_files(files, submission.files)
    with options.grading(homework) as grading:
        info = find_check(grading.checks, then.id)
        ready = grading.grader.ready
        print = fingerprint.of_homework(homework, grading.checks, ready["versions"], ready["isolation"], options.limits)
        now = grading.grade(submission, [info.question], only=[info.id])
    command = ["autograder", "grade", str(files), "--question", info.question, "--isolation", options.isolation]
    command += ["--homework", str(homework.root), "--out", f"{files}-results"]
    old = next(result for result in row.result.checks if result.check.id == then.id)
    return Reproduced(row, old, now.checks[0], shlex.join(command), tuple(_changes(row, print, now)))


def find_name(book: Gradebook, who: str) -> str:
    """The one submission that is meant."""
    graded = set(book.names())
    if who in graded:
        return who
    counting = set(book.names(counting=True))
    wanted = who.casefold()
    own = [entry for entry in book.handed() if entry.name in counting]
    found = [
        entry.name
        for entry in own
        if wanted in [called.casefold() for called in (entry.student, entry.identity, *entry.members)]
    ]
    if len(found) == 1:
        return found[0]
    close = found or sorted(name for name in graded if wanted in name.casefold())[:5]
    hint = f"; {', '.join(close)} {'are all meant' if found else 'come near'}" if close else ""
    raise ConfigError(f"{book.path} has no one result of {who!r}{hint}: `autograder grade --list` tells the names")


def find_check(checks: Sequence[CheckInfo], wanted: str) -> CheckInfo:
    """The one check that is meant.

    Raises:
        ConfigError: there is none, or several.
    """
    exact = [check for check in checks if wanted in (check.id, check.name, check.title)]
    found = exact or [check for check in checks if wanted in check.id]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(f"there is no check {wanted!r}: results.json tells their names")
    names = ", ".join(check.id for check in found[:5])
    raise ConfigError(f"{len(found)} checks have {wanted!r} in their names: {names}{', ...' if len(found) > 5 else ''}")


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write out what was handed in; names were looked at when it was read, and have no folder in them."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in files.items():
            (folder / Path(name).name).write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written to: {error.strerror}") from error
