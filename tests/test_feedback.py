"""What students read: every kind of message, from a real wrong submission, kept to be read at a glance.

`feedback/<question>_<mistake>.py` is handed in, `feedback/<question>_<mistake>.txt` is what its student then sees of
all checks that did not pass. After a change that is meant, run `make feedback` and read the difference.
"""

from __future__ import annotations

import ast
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import answers, reports
from autograder.config import Homework, load_homework
from autograder.feedback import Feedback, html, text
from autograder.grading import Grading
from autograder.results import CheckResult, SubmissionResult
from autograder.submissions import Submission
from autograder.visibility import for_student

FOLDER = Path(__file__).parent / "feedback"
CASES = sorted(FOLDER.glob("*.py"))
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+(?:e[-+]?\d+)?")
LIMITS = {"cpu_seconds": 2.0}  # so that what hangs is known soon


@pytest.fixture(scope="module")
def homework() -> Homework:
    """The homework itself."""
    return load_homework(Path(__file__).parents[1])


@pytest.fixture(scope="module")
def grading(homework: Homework) -> Iterator[Grading]:
    """A warm grader."""
    with Grading(homework, "process", LIMITS) as found:
        yield found


def question_of(case: Path) -> str:
    """A case's docstring begins with its question."""
    return (ast.get_docstring(ast.parse(case.read_text(encoding="utf-8").replace("(Module)\n", "(Module):\n"))) or "").partition(":")[0]


def grade(grading: Grading, case: Path) -> SubmissionResult:
    """Hand a case in, beside the solution."""
    question = question_of(case)
    files = {**answers.solution_files(grading.homework), f"{question}.py": case.read_bytes()}
    return grading.grade(Submission("example", files, {}, ()), [question])


def page(case: Path, result: SubmissionResult) -> str:
    """All that the student sees."""
    question = question_of(case)
    lines = [f"What the student of {case.name} sees: {result.score:g} of {result.max_score:g} points in {question}.", ""]
    lines += [line for line in reports.results_json(result)["output"].splitlines() if line]
    for check in result.checks:
        if check.outcome != "PASSED":
            shown = for_student(check)
            lines += ["", "-" * 100, f"{shown.check.title} [{check.check.visibility}, {check.outcome}]", ""]
            lines += [text(reports.said_by(shown))]
    return "\n".join(lines) + "\n"


def assert_alike(found: str, kept: str) -> None:
    """The same text; numbers may differ by what another processor's rounding makes of them."""
    assert NUMBER.sub("#", found) == NUMBER.sub("#", kept)
    for one, other in zip(NUMBER.findall(found), NUMBER.findall(kept), strict=True):
        assert math.isclose(float(one), float(other), rel_tol=1e-3, abs_tol=1e-6), f"{one} is not {other}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_the_student_sees(grading: Grading, case: Path):
    """It is what was read and kept."""
    found = page(case, grade(grading, case))
    kept = case.with_suffix(".txt")
    if os.environ.get("KEEP_FEEDBACK"):
        kept.write_text(found, encoding="utf-8")
    assert kept.is_file(), f"run `make feedback`, then read {kept}"
    assert_alike(found, kept.read_text(encoding="utf-8"))
