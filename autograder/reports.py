"""Renders results: Gradescope's results.json, and the tables on a terminal. Pure functions of results."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import statistics
import tempfile
import textwrap
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from . import feedback
from .results import CheckResult, Outcome, QuestionResult, SubmissionResult, Summary
from .visibility import HIDDEN, for_student
from .visibility import counts as secret_counts

if TYPE_CHECKING:
    from .attempts import Handed
    from .gradebook import Row
    from .validate import Validation

MAX_TEXT = 4_000  # characters of what one check, or the whole submission, says
MAX_NAME = 300
_BARS = " ▁▂▃▄▅▆▇█"
SEED = 0  # what `hw.seed` is given before each check
_OTHER = {
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "timed out",
    Outcome.OUT_OF_MEMORY: "out of memory",
    Outcome.CRASHED: "crashed",
    Outcome.SKIPPED: "skipped",
    Outcome.INTERNAL_ERROR: "internal error",
}


def results_json(result: SubmissionResult, hidden: str = "visible", *, html: bool = False) -> dict[str, Any]:
    """What Gradescope reads, and our own fields under `extra_data`.

    Args:
        result: one graded submission.
        hidden: when students see how hidden checks ended, in Gradescope's words; secret ones are for staff only.
        html: what checks say is HTML, of the few tags that Gradescope shows; else it is plain text.

    A withheld score is absent, here and in every test, so that no platform adds up what is left into a grade.
    Texts are those that the student may see.

    Source:
        Gradescope's autograder specifications, "Output format".
    """
    withheld = result.score is None
    shown = replace(result, checks=tuple(for_student(result.checks)))
    rendered: dict[str, Any] = {"score": result.score} if not withheld else {}
    rendered |= {
        "max_score": result.max_score,
        "execution_time": _tenths(result.seconds),
        "output": _summary(result),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                **_test(check, question, f"{q}.{c}", _shares(question, checks)[c - 1], withheld),
                **_output(check, question, html),
                "visibility": {"public": "visible", "hidden": hidden}.get(check.check.visibility, "hidden"),
            }
            for q, (question, checks) in enumerate(_by_question(shown), 1)
            for c, check in enumerate(checks, 1)
        ],
        "extra_data": _extra(result),
    }
    return rendered


def _by_question(result: SubmissionResult) -> list[tuple[QuestionResult, list[CheckResult]]]:
    return [
        (question, [check for check in result.checks if check.check.question == question.name])
        for question in result.questions
    ]


def _shares(question: QuestionResult, checks: Sequence[CheckResult]) -> list[float]:
    """The question's points, split by the points of the checks that count."""
    points = [0.0 if check.outcome is Outcome.SKIPPED else check.check.points for check in checks]
    total = sum(points)
    return [round(question.points * part / total, 4) if total > 0 else 0.0 for part in points]


def _test(result: CheckResult, question: QuestionResult, number: str, share: float, withheld: bool) -> dict[str, Any]:
    """One check, of what the student may see: what it took, and what it measured, student code could make say more."""
    test: dict[str, Any] = {
        "name": safe_line(result.check.title, MAX_NAME),
        "name_format": "text",
        "number": number,
    }
    if not withheld:
        earned = result.outcome is Outcome.PASSED and not question.gate
        test["score"] = share if earned else 0.0
    test["max_score"] = share
    if result.outcome not in (Outcome.SKIPPED, Outcome.INTERNAL_ERROR):  # neither is the student's failure
        test["status"] = "passed" if result.outcome is Outcome.PASSED else "failed"
    test |= {
        "extra_data": {
            "question": question.name,
            "outcome": result.outcome.value,
            "kind": result.check.kind,
            "points": result.check.points,
        },
    }
    if result.check.visibility == "public":
        test["extra_data"] |= {
            "id": result.check.id,
            "seconds": _number(result.seconds),
            "calls": result.calls,
        }
    if result.measured:
        test["extra_data"]["measured"] = {name: _number(value) for name, value in result.measured.items()}
    return test


def _output(result: CheckResult, question: QuestionResult, html: bool) -> dict[str, str]:
    """What one check says to the student, of what the student may see."""
    said = said_by(result)
    if result.check.visibility == "hidden" and result.outcome is Outcome.FAILED and not said.message:
        said = replace(said, message=f"Failed. {HIDDEN}")
    counts = f"Counts 0: {question.gate[0]}." if question.gate and result.outcome is Outcome.PASSED else ""
    if html:
        text = feedback.html(replace(said, message=counts or said.message), safe_text)
    else:
        text = safe_text(counts or feedback.text(said))
    return {"output": text, "output_format": "html" if html else "text"}


def said_by(shown: CheckResult) -> feedback.Feedback:
    """The parts of what a check says."""
    frames = [(frame.file, frame.line, frame.function, frame.source) for frame in shown.frames]
    parts = shown.message, shown.comparison, shown.jacobians, frames, shown.example, shown.output, shown.hint
    return feedback.Feedback(shown.outcome.value, *parts)


def _summary(result: SubmissionResult) -> str:
    lines = []
    if result.score is None:
        names = ", ".join(question.name for question in result.questions if question.score is None)
        lines.append(f"The score is withheld: the autograder itself failed ({names}). This is not your fault.")
    for question in result.questions:
        lines += [f"{question.name} counts 0: {reason}." for reason in question.gate]
        lines += [question.note] if question.note else []
    for name, (passed, of) in secret_counts(result.checks).items():
        lines.append(f"{name}: {passed} of {of} secret checks passed.")
    return safe_text("\n".join([*lines, *result.notes]))


def _extra(result: SubmissionResult) -> dict[str, Any]:
    questions = []
    for question in result.questions:
        known = {"name": question.name, "max_score": question.points}
        questions.append(known if question.score is None else known | {"score": question.score})
    return {
        "submission": safe_line(result.name, MAX_NAME),
        "questions": questions,
        "gates": {q.name: [safe_line(reason, MAX_NAME) for reason in q.gate] for q in result.questions if q.gate},
        "notes": [safe_line(note, MAX_NAME) for note in result.notes[:100]],
        "isolation": result.isolation,
        "versions": result.versions,
        "seed": SEED,
        "timings": {question.name: _seconds(checks) for question, checks in _by_question(result)},
    }


def _seconds(checks: Sequence[CheckResult]) -> float:
    return _tenths(sum(check.seconds for check in checks))


def _tenths(seconds: float) -> float:
    """Seconds as exactly as students may see them where hidden checks are among what took them."""
    return round(_number(seconds), 1)


def _number(seconds: float) -> float:
    return round(seconds, 3) if math.isfinite(seconds) else 0.0


def safe_text(text: str, most: int = MAX_TEXT) -> str:
    """Text that is safe to print or to send: no control characters, no half characters, not too long."""
    extra = len(text) - most
    text = text if extra <= 0 else f"{text[:most]}\n[{extra} more characters]"
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # a progress bar writes over its line
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def safe_line(text: str, most: int) -> str:
    """The first line, safe and cut."""
    first = text.strip().partition("\n")[0].replace("\t", " ")
    return safe_text(first if len(first) <= most else f"{first[: most - 3]}...")


# -- tables --------------------------------------------------------------------------------------------------


def submission_table(result: SubmissionResult) -> Table:
    """One submission: a row a question, with the first thing to know about it. For whoever may see all."""
    table = Table(box=box.SIMPLE_HEAD, title=Text(safe_line(result.name, 60)), pad_edge=False)
    table.add_column("question", no_wrap=True, overflow="ellipsis", min_width=10)
    table.add_column("checks", justify="right", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("first thing to know", ratio=1, overflow="fold")
    for question, checks in _by_question(result):
        passed = sum(check.outcome is Outcome.PASSED for check in checks)
        points = f"{points_text(question.score)}/{points_text(question.points)}"
        table.add_row(question.name, f"{passed}/{len(checks)}", points, Text(_first_thing(question, checks)))
    total = "withheld" if result.score is None else f"{points_text(result.score)}/{points_text(result.max_score)}"
    passed = sum(check.outcome is Outcome.PASSED for check in result.checks)
    table.add_section()
    table.add_row("all", f"{passed}/{len(result.checks)}", total, Text(safe_line(" ".join(result.notes), 200)))
    return table


def _first_thing(question: QuestionResult, checks: Sequence[CheckResult]) -> str:
    if question.gate:
        return safe_line(question.gate[0], 200)
    if question.note:
        return safe_line(question.note, 200)
    lost = [check for check in checks if check.outcome is not Outcome.PASSED]
    lost.sort(key=lambda check: check.outcome is not Outcome.INTERNAL_ERROR)  # the grader's own failure first
    if not lost:
        return "" if checks else "there are no checks"
    what = safe_line(lost[0].message, 160)
    return f"{_OTHER[lost[0].outcome]}: {safe_line(lost[0].check.title, 100)}{f' ({what})' if what else ''}"


def explanations(result: SubmissionResult) -> Text:
    """Why each question lost points, by the first of its checks that did not pass. For whoever may see all."""
    text = Text()
    for question, checks in _by_question(result):
        lost = [check for check in checks if check.outcome not in (Outcome.PASSED, Outcome.SKIPPED)]
        if not lost:
            continue
        more = f" (and {len(lost) - 1} more of {len(checks)} checks)" if len(lost) > 1 else ""
        text.append(f"{question.name}: {safe_line(lost[0].check.title, MAX_NAME)}", style="bold")
        text.append(f"{more}\n", style="dim")
        ours = lost[0].outcome is Outcome.INTERNAL_ERROR  # of which the student sees nothing, and a grader must
        said = safe_text(lost[0].message if ours else feedback.text(said_by(lost[0])))
        text.append(f"{textwrap.indent(said, '  ')}\n\n")
    return text


def verdicts(row: Row, then: CheckResult, now: CheckResult) -> Text:
    """One verdict as it was kept and as it came again, with all there is to say. For whoever may see all."""
    text = Text()
    text.append(f"{safe_line(row.name, 60)}: {safe_line(then.check.title, MAX_NAME)}\n", style="bold")
    text.append(f"{then.check.id}\n", style="dim")
    text.append(f"then: {then.outcome} ({row.graded}, {row.processor})\nnow:  {now.outcome}\n\n")
    ours = now.outcome is Outcome.INTERNAL_ERROR
    said = safe_text(now.message if ours else feedback.text(said_by(now)))
    text.append(f"{textwrap.indent(said, '  ')}\n")
    return text


def class_table(summaries: Sequence[Summary]) -> Table:
    """Many submissions: a row each, a column a question, and how many checks passed or did not."""
    names = list(dict.fromkeys(question.name for summary in summaries for question in summary.questions))
    legend = ", ".join(f"{number} {name}" for number, name in enumerate(names, 1))
    caption = textwrap.fill(f"{legend}; ? withheld, * a banned name", 76) if names else None
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", pad_edge=False, padding=0)
    table.add_column("submission", overflow="fold", min_width=10)
    table.add_column("score", justify="right", no_wrap=True)
    for number in range(1, len(names) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    table.add_column("checks", justify="right", no_wrap=True)
    table.add_column("not passed", overflow="fold", min_width=9)
    for summary in summaries:
        scores = {question.name: question for question in summary.questions}
        counts = summary.counts
        other = ", ".join(f"{counts[outcome]} {name}" for outcome, name in _OTHER.items() if counts.get(outcome))
        table.add_row(
            Text(safe_line(summary.name, 60)),
            points_text(summary.score),
            *(_cell(scores.get(name)) for name in names),
            f"{counts.get(Outcome.PASSED, 0)}/{sum(counts.values())}",
            other,
        )
    return table


def class_overview(summaries: Sequence[Summary]) -> Table:
    """A class too large for a row each: how many got how much, in all and in each question."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{len(summaries)} submissions", title_justify="left", pad_edge=False)
    table.add_column("", overflow="fold", min_width=10)
    for column in ("points", "mean", "median", "none", "all", "withheld"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("low to high")
    names = list(dict.fromkeys(question.name for summary in summaries for question in summary.questions))
    for name in names:
        own = [question for summary in summaries for question in summary.questions if question.name == name]
        table.add_row(name, *_distribution([(question.score, question.points) for question in own]))
    table.add_section()
    table.add_row("all", *_distribution([(summary.score, summary.max_score) for summary in summaries]))
    return table


def _distribution(scores: Sequence[tuple[float | None, float]]) -> tuple[str, ...]:
    """Points, mean, median, how many have none or all or a withheld score, and a histogram of tenths."""
    known = [(score, points) for score, points in scores if score is not None]
    shares = [score / points if points else 0.0 for score, points in known]
    bins = Counter(min(int(share * 10), 9) for share in shares)
    most = max(bins.values(), default=1)
    bars = "".join(_BARS[math.ceil(bins[tenth] / most * (len(_BARS) - 1))] for tenth in range(10))
    return (
        points_text(scores[0][1]),
        points_text(statistics.mean(score for score, _ in known)) if known else "",
        points_text(statistics.median(score for score, _ in known)) if known else "",
        str(sum(score == 0 for score, _ in known)),
        str(sum(score >= points for score, points in known)),
        str(len(scores) - len(known)),
        bars,
    )


def intake_table(handed: Sequence[Handed], notes: Mapping[str, Sequence[str]], counting: Collection[str]) -> Table:
    """Who handed in what: a row an attempt, a column for what is known of any.

    Args:
        handed: the attempts.
        notes: what is odd about each, by its name.
        counting: the names of those that are graded.
    """
    students = len({(one.platform, one.identity) for one in handed})
    caption = f"{len(handed)} attempts of {students} students or groups; {len(counting)} would be graded"
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", pad_edge=False)
    columns = {
        "name": [one.name for one in handed],
        "student": [safe_line(one.student, 60) for one in handed],
        "group": [safe_line(", ".join(one.members), 200) for one in handed],
        "attempt": [str(one.attempt) for one in handed],
        "submitted": [re.sub(r"\.\d+", "", one.submitted) for one in handed],
        "late": ["late" if one.late else "" for one in handed],
        "counts": ["yes" if one.name in counting else "no" for one in handed],
        "notes": ["; ".join(safe_line(note, 200) for note in notes.get(one.name, ())) for one in handed],
    }
    shown = {column: cells for column, cells in columns.items() if any(cells)}  # not every export says everything
    for column, cells in shown.items():
        whole = 24 if column == "name" else 8  # what is not broken into lines, where there is room
        table.add_column(column, overflow="fold", min_width=min(whole, max(map(len, cells))))
    for row in zip(*shown.values(), strict=True):
        table.add_row(*map(Text, row))
    return table


def _cell(question: QuestionResult | None) -> str:
    return "" if question is None else f"{points_text(question.score)}{'*' if question.gate else ''}"


def points_text(points: float | None) -> str:
    """Points with one decimal at most, rounded down: 9.99 of 10 is not 10."""
    return "?" if points is None else f"{math.floor(points * 10 + 1e-6) / 10:g}"


# -- validation ----------------------------------------------------------------------------------------------


def validation_table(found: Validation) -> Table:
    """A row a part: how much was tried, how much fell short, how long it took."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, side in (
        ("part", "left"),
        ("tried", "right"),
        ("fell short", "right"),
        ("seconds", "right"),
        ("", "left"),
    ):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    for part in found.parts:
        short = Text(str(len(part.shortfalls)), style="red" if part.shortfalls else "green")
        table.add_row(part.name, str(part.tried), short, f"{part.seconds:.1f}", part.summary)
    return table


def times_table(found: Validation) -> Table:
    """The checks that take longest on the solution: seconds, their share, calls into student code."""
    total = sum(check.seconds for check in found.times.values()) or 1.0
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="the slowest checks, on the solution", title_justify="left"
    )
    for column in ("seconds", "share", "calls"):
        table.add_column(column, justify="right")
    table.add_column("check")
    for check in sorted(found.times.values(), key=lambda check: -check.seconds)[:10]:
        row = f"{check.seconds:.2f}", f"{check.seconds / total:.0%}", str(check.calls), check.check.id
        table.add_row(*row)
    return table


def validation_json(found: Validation) -> dict[str, Any]:
    """All that a validation found: its parts, which checks catch each mutant, what each check costs."""
    return {
        "passed": found.passed,
        "parts": [dataclasses.asdict(part) for part in found.parts],
        "mutants": found.caught,
        "checks": {
            check.check.id: {"seconds": check.seconds, "calls": check.calls, "outcome": check.outcome}
            for check in found.times.values()
        },
    }


# -- files ---------------------------------------------------------------------------------------------------


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file; see `write_text`."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file that is whole or absent, and that only its owner can read."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
