"""Grades inside of Otter, but not in its kernel: what was handed in is moved away before anything of it is looked at.

Otter unpacks the submission beside its own files, loads this plugin, and asks it before it reads a log, starts a
kernel or runs a test. By then our grader has judged the submission in the sandbox; the kernel runs an empty notebook
in a folder without the submission, and at the end our verdicts take the place of what its tests said.

Where grading fails and it is not the student's fault, nothing may look like their zero: `Ungraded` ends Otter before
it writes results.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import nbformat
from otter.plugins import AbstractOtterPlugin
from otter.run.run_autograder.utils import OtterRuntimeError
from otter.test_files import GradingResults, TestCase
from otter.test_files.abstract_test import TestCaseResult

from . import reports
from .attempts import accept, single
from .config import load_homework
from .errors import AutograderError
from .grading import Grading
from .otter_bundle import HOMEWORK, NOTEBOOK, PLUGIN, TESTS
from .results import Outcome, SubmissionResult

USAGE, INTERNAL = 2, 3  # exit statuses, as of our own command line
PASSED, FAILED = "\N{WHITE HEAVY CHECK MARK} Test case passed", "\N{CROSS MARK} Test case failed"  # Otter's own words


class Ungraded(click.ClickException):
    """There is no score, and it is not the student's fault: one line in `otter run`, and no results.json."""

    exit_code = INTERNAL


class Misconfigured(Ungraded):
    """The bundle is wrong, or this machine cannot isolate as it asks."""

    exit_code = USAGE


class Refused(OtterRuntimeError, click.ClickException):
    """The submission cannot be graded: one line in `otter run`; elsewhere Otter shows it to the student."""

    def __init__(self, message: str):
        click.ClickException.__init__(self, message)


class Plugin(AbstractOtterPlugin):
    """What Otter calls.

    Its settings in `otter_config.json`: `require_isolation`, the layers that must be in force, and `seconds`, how long
    all checks of a submission may take.
    """

    result: SubmissionResult
    rendered: dict[str, Any]

    def before_grading(self, config: object) -> None:
        """Move the submission out of the kernel's folder, and grade it.

        Raises:
            Ungraded: our grader failed.
            Misconfigured: the bundle is wrong, or this machine cannot isolate as it asks.
            Refused: there is nothing but notebooks.
        """
        place = Path(self.submission_path).parent
        folder = move_away(place)
        refuse_notebooks(folder)
        identity = (self.submission_metadata or {}).get("id")
        name = f"submission_{identity}" if isinstance(identity, int) else "submission"  # as in Gradescope's exports
        try:
            homework = load_homework(_only_ours(place.parent / "source" / HOMEWORK))
            with Grading(homework, required=self.plugin_config["require_isolation"]) as grading:
                self.result = grading.grade(
                    accept(single(name, folder), homework), seconds=self.plugin_config["seconds"]
                )
        except AutograderError as error:
            raise Misconfigured(str(error)) from error
        if self.result.score is None:
            raise Ungraded(_whose_fault(self.result))
        self.rendered = reports.results_json(self.result, homework.hidden_visibility)

    def before_execution(self, submission: object) -> nbformat.NotebookNode:
        """Have the kernel run nothing but Otter's own cells."""
        return nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})

    def after_grading(self, results: GradingResults) -> None:
        """Put our verdicts in the place of Otter's."""
        fill(results, self.rendered)

    def generate_report(self) -> str:
        """What an instructor reads below the scores: how student code was kept apart, and what was odd."""
        isolation = self.result.isolation
        lines = [f"isolation: {isolation['mode']} ({', '.join(isolation['layers'])})"]
        lines += [f"graded in {self.result.seconds:.1f} s, outside of Otter's kernel"]
        return "\n".join([*lines, *self.rendered["extra_data"]["notes"]])


def move_away(place: Path) -> Path:
    """Move all that was handed in, but not what Otter has just put there, to a folder that only we can read.

    Args:
        place: the folder that the kernel will run in.

    Returns:
        The new folder, on the same disk.
    """
    folder = Path(tempfile.mkdtemp(prefix="submission-", dir=place.parent))
    for name in os.listdir(place):
        if name not in (TESTS, NOTEBOOK):  # Otter has replaced these two, if they were handed in
            shutil.move(place / name, folder / name)
    return folder


def refuse_notebooks(folder: Path) -> None:
    """Say so where somebody handed in notebooks instead of Python files.

    Raises:
        Refused: there are notebooks and no Python files.
    """
    names = {name for _, _, files in os.walk(folder) for name in files}
    notebooks = sorted(name for name in names if name.lower().endswith(".ipynb"))
    if notebooks and not any(name.lower().endswith(".py") for name in names - {"__init__.py"}):  # that one is Otter's
        raise Refused(f"this homework takes Python files, not notebooks such as {notebooks[0][:80]!a}")


def _only_ours(folder: Path) -> Path:
    """Close a folder to other users, such as the one that workers run as."""
    folder.chmod(0o700)
    return folder


def _whose_fault(result: SubmissionResult) -> str:
    broken = [check for check in result.checks if check.outcome is Outcome.INTERNAL_ERROR]
    which = f"{broken[0].check.id}: {broken[0].message}" if broken else "no check counts"
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return f"the score is withheld, because the autograder itself failed: {which}{more}"


def fill(results: GradingResults, rendered: Mapping[str, Any]) -> None:
    """Replace what Otter's tests found by our verdicts: a test case for each check, and each question's score.

    Args:
        results: Otter's, with a test for each question.
        rendered: ours, as `reports.results_json` has them: texts are those that students may see.

    Raises:
        Ungraded: Otter's kernel did not run, or its tests are not the bundle's.
    """
    if results.has_catastrophic_failure():
        raise Ungraded(f"Otter's own kernel failed: {results.catastrophic_error}")
    extra = rendered["extra_data"]
    missing = {question["name"] for question in extra["questions"]} - set(results.test_files)
    if missing:
        raise Ungraded(f"the bundle has no test file for the question {sorted(missing)[0]!r}")
    ours = {}
    for question in extra["questions"]:
        name = question["name"]
        tests = [test for test in rendered["tests"] if test["extra_data"]["question"] == name]
        found = _cases(name, question["max_score"], tests) + _gate(name, extra["gates"].get(name, []))
        ours[name] = file = results.get_result(name)
        file.test_cases, file.test_case_results = [case.test_case for case in found], found
        file.update_score(question["score"])
    results.results = {**ours, **results.results}  # in the homework's order
    if rendered["output"]:
        results.set_output(rendered["output"])
    results.set_plugin_data(PLUGIN, dict(rendered))


def _cases(question: str, points: float, tests: list[dict[str, Any]]) -> list[TestCaseResult]:
    """A test case for each check that counts, with its share of the question's points."""
    counted = [test for test in tests if test["extra_data"]["outcome"] != Outcome.SKIPPED]
    total = sum(test["extra_data"]["points"] for test in counted)
    return [
        _case(
            f"{question} - {number} ({test['name']})",
            test["status"] == "passed",
            test["output"],
            points * test["extra_data"]["points"] / total,
            test["visibility"] != "visible",
        )
        for number, test in enumerate(counted, 1)
    ]


def _gate(question: str, reasons: list[str]) -> list[TestCaseResult]:
    """A test case that says why a question counts 0 whatever its checks say."""
    return [_case(f"{question} - allowed names", False, "\n".join(reasons))] if reasons else []


def _case(name: str, passed: bool, text: str, points: float = 0.0, hidden: bool = False) -> TestCaseResult:
    case = TestCase(name=name, body="", hidden=hidden, points=points, success_message=None, failure_message=None)
    message = "\n".join([PASSED if passed else FAILED, *([text] if text else [])])
    return TestCaseResult(test_case=case, message=message, passed=passed)
