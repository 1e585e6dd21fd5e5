"""What students read: every kind of message, from a real wrong submission, kept to be read at a glance.

`feedback/<question>_<mistake>.py` is handed in, `feedback/<question>_<mistake>.txt` is what its student then sees of
all checks that did not pass. After a change that is meant, run `make feedback` and read the difference.
"""

from __future__ import annotations

import ast
import dataclasses
import html
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import answers, comparison, explanation, pages, reports
from autograder.config import Homework, load_homework
from autograder.feedback import text
from autograder.grading import Grading
from autograder.results import SubmissionResult
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
    return (
        ast.get_docstring(ast.parse(case.read_text(encoding="utf-8").replace("(Module)\n", "(Module):\n"))) or ""
    ).partition(":")[0]


def grade(grading: Grading, case: Path) -> SubmissionResult:
    """Hand a case in, beside the solution."""
    question = question_of(case)
    files = {**answers.solution_files(grading.homework), f"{question}.py": case.read_bytes()}
    return grading.grade(Submission("example", files, {}, ()), [question])


def page(case: Path, result: SubmissionResult) -> str:
    """All that the student sees."""
    question = question_of(case)
    lines = [
        f"What the student of {case.name} sees: {result.score:g} of {result.max_score:g} points in {question}.",
        "",
    ]
    lines += [line for line in reports.results_json(result)["output"].splitlines() if line]
    for check, shown in zip(result.checks, for_student(result.checks), strict=True):
        if check.outcome != "PASSED":
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


def test_every_hint_of_ours_is_among_them():
    """Each general recognition has a real wrong submission that it was read for."""
    kept = " ".join(" ".join(case.with_suffix(".txt").read_text(encoding="utf-8") for case in CASES).split())
    hints = [getattr(comparison, name) for name in ("DTYPE", "SIGN", "FACTOR", "TRANSPOSED", "ONE_MORE")]
    hints += [comparison.BROADCAST, comparison.SUM_LEFT]
    hints += [getattr(explanation, name) for name in ("STUB", "NONE", "CHANGED", "FLOAT64_ONLY", "GRADCHECK")]
    assert [hint for hint in hints if hint not in kept] == []


def test_the_readme_shows_what_a_student_sees():
    """Its sample is one of those that are kept."""
    readme = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    sample = re.findall(r"^```text\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)[0]
    title, _, rest = sample.partition("\n")
    kept = (FOLDER / "matmul_wrong_sign.txt").read_text(encoding="utf-8")
    assert f"{title} [public, FAILED]\n{rest.rstrip()}" in kept


# -- what hidden checks keep to themselves -----------------------------------------------------------------------------

TELLTALE = '''
import sys
import numpy as np
import torch
from torch.nn import Module, Parameter


def spelled(X):
    """Say an input in every way that there is: printed, raised, in names and in the lines of a traceback."""
    text = " ".join(repr(float(x)) for x in X.detach().flatten())
    print("INPUT", text, X.shape)
    print("INPUT", text, file=sys.stderr)
    return text


class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * np.sqrt(init_factor / in_dim))
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None

    def forward(self, X):
        text = spelled(X)
        {end}
'''
ENDS = {
    "raises": "raise RuntimeError(text)",
    "raises a message of torch's": 'raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({text[:40]} and 3x4)")',
    "raises a name": "raise AttributeError(f\"'Tensor' object has no attribute 'x{text.replace('.', '_')[:40]}'\")",
    "raises a class": "raise type(text, (Exception,), {})(text)",
    "raises a group": "raise ExceptionGroup(text, [ValueError(text)])",
    "chains": "raise ValueError(text) from RuntimeError(text)",
    "adds a note": "error = ValueError(); error.add_note(text); raise error",
    "names a function": "exec(compile(f\"def f{abs(hash(text))}(): raise ValueError\", 'linear.py', 'exec'))",
    "returns it": "return X.sum() + self.weight.sum()",
    "exits": "sys.exit(text)",
    "warns": "import warnings; warnings.warn(text); return X",
}


TOLD = ("test_values", "test_gradients", "test_leading_dimensions", "test_gradcheck", "test_input_is_not_modified")


def shown_of(result: SubmissionResult, homework: Homework) -> str:
    """All that a student can come to see of the hidden and secret checks, in every form."""
    checks = tuple(check for check in result.checks if check.check.visibility != "public")
    cut = dataclasses.replace(result, checks=checks, notes=())
    platform = json.dumps([reports.results_json(cut, html=html_too)["tests"] for html_too in (False, True)])
    return f"{pages.feedback_page(cut, homework.title)}\n{platform}"


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_hidden_checks_keep_their_inputs(grading: Grading, homework: Homework, end: str):
    """Neither an input, nor what was expected, nor a line of a check is there, whatever student code does with them."""
    source = TELLTALE.replace("{end}", end)
    some = [check.id for check in grading.checks if check.question == "linear" and check.name in TOLD]
    result = grading.grade(Submission("example", {"linear.py": source.encode()}, {}, ()), ["linear"], only=some)
    shown = shown_of(result, homework)
    hidden = [check for check in result.checks if check.check.visibility == "hidden"]
    assert any(check.outcome == "FAILED" for check in hidden)
    told = "\n".join(f"{c.message}\n{c.comparison}\n{c.jacobians}\n{c.example}\n{c.output}" for c in hidden)
    numbers = set(re.findall(r"\d+\.\d{4,}", told))
    assert len(numbers) > 5, "there is nothing to keep"
    assert [number for number in numbers if number in shown or number.replace(".", "_") in shown] == []
    assert "INPUT" not in re.sub(r"print\(.*", "", shown)
    checks = (homework.path(homework.hidden_checks) / "test_linear.py").read_text(encoding="utf-8")
    titles = {check.check.title for check in hidden}
    lines = [line.strip() for line in checks.splitlines() if len(line.strip()) > 25]
    assert [line for line in lines if html.escape(line) in shown and line.strip('"') not in titles] == []
