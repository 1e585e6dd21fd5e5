"""The pytest plugin: verdicts, seeds, shrinking, order; on a tiny homework, in both isolation modes at once.

`grade` compares the modes in every test: outcomes, messages, frames and what was printed must be the same.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from autograder.config import Homework, load_homework
from autograder.errors import ConfigError
from autograder.explanation import GRADCHECK
from autograder.grading import Grading
from autograder.plugin import SHRINK_CALLS, Judge
from autograder.results import Outcome, SubmissionResult
from autograder.submissions import Submission

MINI = Path(__file__).parent / "mini"
MODES = ("process", "none")
HIDDEN = "checks/test_square.py"
Grade = Callable[..., SubmissionResult]

DRAWING = """
import random, numpy, torch
def square(x):
    print(torch.rand(()).item(), numpy.random.rand(), random.random(), "with", x.tolist())
    return x * x
"""


@pytest.fixture(scope="module")
def grade() -> Iterator[Grade]:
    """Grade in both modes at once, and return the result in which they agree."""
    yield from _grade_in_both_modes(MINI)


@pytest.fixture(scope="module")
def grade_odd() -> Iterator[Grade]:
    """The same, for the homework whose checks go wrong themselves."""
    yield from _grade_in_both_modes(MINI / "odd")


def _grade_in_both_modes(root: Path) -> Iterator[Grade]:
    homework = load_homework(root)
    with ExitStack() as stack, ThreadPoolExecutor(len(MODES)) as threads:
        gradings = list(threads.map(lambda mode: Grading(homework, mode), MODES))
        for grading in gradings:
            stack.enter_context(grading)

        def grade(*questions: str, **sources: str) -> SubmissionResult:
            submission = submitted(homework, **sources)
            tasks = [threads.submit(grading.grade, submission, questions or None) for grading in gradings]
            one, other = (task.result() for task in tasks)
            assert [timeless(check) for check in one.checks] == [timeless(check) for check in other.checks]
            assert one.questions == other.questions
            return one

        yield grade


def timeless(check):
    """A check's result without what may differ: its time, and the calls before the worker's end."""
    calls = check.calls if check.outcome in (Outcome.PASSED, Outcome.FAILED) else 0
    return dataclasses.replace(check, seconds=0.0, calls=calls)


def submitted(homework: Homework, **sources: str) -> Submission:
    """The solution with other texts for some of its files."""
    files = {file: (homework.path(homework.solutions) / file).read_bytes() for file in homework.by_file}
    texts = {f"{name}.py": source.encode() for name, source in sources.items()}
    return Submission("somebody", files | texts, {}, ())


def find(result: SubmissionResult, name: str):
    """The hidden check of `square` with this name."""
    return next(check for check in result.checks if check.check.id == f"{HIDDEN}::{name}")


# -- checks and what they are worth --------------------------------------------------------------------------


def test_the_solution_passes_every_check(grade):
    """Right answers earn everything, whatever kind of check asks."""
    result = grade()
    assert set(result.outcomes().values()) == {Outcome.PASSED}
    assert (result.score, result.max_score) == (25, 25)


def test_a_stub_says_what_is_to_be_written(grade):
    """A stub fails every check, with its own message and line."""
    stub = (MINI / "assignment/square.py").read_text(encoding="utf-8")
    result = grade("square", square=stub)
    assert set(result.outcomes().values()) == {Outcome.FAILED}
    assert result.score == 0
    check = find(result, "test_zero")
    assert check.message.startswith("NotImplementedError: square: write square")
    (frame,) = check.frames
    assert (frame.file, frame.line, frame.function) == ("square.py", 8, "square")


def test_checks_come_in_the_order_of_the_questions(grade):
    """Questions in the homework's order; within one public checks first, then hidden, then secret ones."""
    checks = [result.check for result in grade().checks]
    assert [check.question for check in checks] == ["square"] * 9 + ["cube"] * 3 + ["both"]
    squares = [check.visibility for check in checks if check.question == "square"]
    assert squares == ["public"] + ["hidden"] * 7 + ["secret"]


def test_marks_and_docstrings_describe_a_check(grade):
    """Title, points, visibility and kind come from the check's function."""
    result = grade("square")
    values, alone = find(result, "test_values").check, find(result, "test_input_is_left_alone").check
    assert (values.title, values.points, values.visibility) == ("Every entry is squared.", 3.0, "hidden")
    assert (values.kind, alone.kind) == ("value", "cooperative")
    assert find(result, "test_dtype[double]").check.title == "The dtype stays."


def test_questions_are_judged_alone(grade):
    """A mistake costs its own question, and those that need it; the latter say so."""
    result = grade(square="def square(x):\n    return x")
    scores = {question.name: question.score for question in result.questions}
    assert scores["square"] < 10
    assert (scores["cube"], scores["both"]) == (10, 0)
    assert "`square` lost points" in result.question("both").note


def test_limits_of_a_check(grade):
    """A mark replaces the homework's limits; the message says which limit it was."""
    hangs = "def square(x):\n    while x.requires_grad:\n        pass\n    return x * x"
    check = find(result := grade("square", square=hangs), "test_gradient")
    assert (check.outcome, check.message) == (Outcome.TIMED_OUT, "more than 1 seconds of processor time")
    assert sum(outcome is Outcome.PASSED for outcome in result.outcomes().values()) == len(result.checks) - 1


def test_output_of_student_code_is_kept_and_cut(grade):
    """What student code prints, on both streams, is in the check's result, up to a bound."""
    prints = "import sys\nprint('loaded')\ndef square(x):\n    print('é', file=sys.stderr)\n    return x * x"
    assert find(grade("square", square=prints), "test_zero").output == "loaded\né\n"
    much = "def square(x):\n    if x.tolist() == [0.0]:\n        print('much' * 10**6)\n    return x * x"
    check = find(grade("square", square=much), "test_zero")
    output = check.output
    assert check.outcome is Outcome.PASSED
    assert output.startswith("muchmuch")
    assert "[cut: 4000001 characters in all]" in output[-80:]


# -- examples ------------------------------------------------------------------------------------------------


def test_the_smallest_failing_example_is_reported(grade):
    """Hypothesis makes the example smaller, and the message shows the smallest."""
    wrong = "import torch\ndef square(x):\n    return torch.where(x > 100, x, x * x)"
    check = find(grade("square", square=wrong), "test_values")
    assert check.outcome is Outcome.FAILED
    assert "numbers=[101]" in check.message
    assert check.message.startswith("the squares of [101] are [10201]; [101] came")  # of the same example
    assert "0x" not in check.message  # an address would differ from run to run


def test_shrinking_has_a_budget_of_calls(grade):
    """The first failure fixes the outcome; looking for a smaller one ends after so many calls."""
    source = """
calls = 0
def square(x):
    global calls
    calls += 1
    wrong = len(set(x.tolist())) >= 6
    print("wrong" if wrong else "right")
    return -x * x if wrong else x * x
"""
    check = find(grade("square", square=source), "test_many_calls")
    first = check.output.split().index("wrong")
    later = len(check.output.split()) - first
    assert check.outcome is Outcome.FAILED
    assert "the squares of [" in check.message
    assert SHRINK_CALLS - 30 <= later <= SHRINK_CALLS + 30  # an example uses `square` up to 10 times


def test_a_flaky_answer_fails(grade):
    """An answer that is wrong the first time only is wrong."""
    flaky = """
calls = 0
def square(x):
    global calls
    calls += 1
    return -x * x - 1 if calls == 1 else x * x
"""
    result = grade("square", square=flaky)
    assert set(result.outcomes().values()) == {Outcome.FAILED, Outcome.PASSED}
    for name in ("test_values", "test_many_calls", "test_random_numbers"):
        assert find(result, name).outcome is Outcome.FAILED


# -- seeds ---------------------------------------------------------------------------------------------------


def test_every_check_and_every_example_starts_from_the_same_seed(grade):
    """torch, numpy and random draw the same before each check, and before each example of a property."""
    result = grade("square", square=DRAWING)
    lines = {check.check.name: check.output.splitlines() for check in result.checks}
    drawn = {name: [line.partition(" with")[0] for line in printed] for name, printed in lines.items()}
    assert len({printed[0] for printed in drawn.values()}) == 1
    assert len(drawn["test_values"]) > 10
    assert len(set(drawn["test_values"])) == 1  # one call an example
    assert len(set(drawn["test_many_calls"])) == 10  # ten calls an example
    assert len(lines["test_random_numbers"]) == 2
    assert len(set(lines["test_random_numbers"])) == 1  # its numbers are drawn on the check's side


def test_a_check_draws_the_same_alone_and_with_all_others(grade):
    """Neither seeds nor examples depend on which other checks run, or on what else is loaded."""
    whole = grade(square=DRAWING, cube="SEVEN = 7654321\ndef cube(x):\n    return x**3")
    question = grade("square", square=DRAWING)
    expected = {c.check.id: c.output for c in whole.checks if c.check.question == "square"}
    assert {c.check.id: c.output for c in question.checks} == expected
    homework = load_homework(MINI)
    single = f"{HIDDEN}::test_values"
    with Grading(homework, "none") as grading:
        grading.checks = [check for check in grading.checks if check.id == single]
        (alone,) = grading.grade(submitted(homework, square=DRAWING)).checks
    assert alone.output == expected[single]
    assert len(alone.output.splitlines()) == 40  # the profile's number of examples


# -- whose fault ---------------------------------------------------------------------------------------------

INTERNAL = {
    "test_has_a_mistake": "no_such_name",
    "test_hands_over_a_lambda": "function cannot cross",
    "test_lacks_support_code": "there is no support code",
    "test_lacks_a_fixture": "no_such_fixture",
    "test_lacks_a_threshold": "no threshold 'speed'",
    "test_asks_for_an_unknown_name": "no question of this homework provides 'cube'",
    "test_finds_no_example": "filtering out a lot of inputs",
}


@pytest.mark.parametrize("body", ["return x * x", "return None"], ids=["right", "wrong"])
def test_a_fault_of_the_check_is_never_the_students(grade_odd, body):
    """A check that goes wrong for the solution too, or that the engine refuses, withholds the score."""
    text = 'if isinstance(x, str):\n        raise ValueError("no square")'
    result = grade_odd(square=f"def square(x):\n    {text}\n    {body}")
    checks = {check.check.name: check for check in result.checks}
    internal = {name for name, check in checks.items() if check.outcome is Outcome.INTERNAL_ERROR}
    assert internal == set(INTERNAL)
    for name, words in INTERNAL.items():
        assert words in checks[name].message
    assert result.score is None
    assert (checks["test_skips"].outcome, checks["test_skips"].message) == (Outcome.SKIPPED, "not here")
    assert checks["test_expects_an_exception"].outcome is Outcome.PASSED


def test_what_the_check_cannot_use_is_the_students(grade_odd):
    """An exception of the check's own code counts against the student when the solution does not cause it."""
    result = grade_odd(square="def square(x):\n    return None")
    checks = {check.check.name: check for check in result.checks}
    used = checks["test_uses_what_came"]
    assert used.outcome is Outcome.FAILED
    assert used.message.startswith("the check could not use what your code gave it: AttributeError: 'NoneType'")
    assert checks["test_expects_an_exception"].outcome is Outcome.FAILED
    assert "DID NOT RAISE" in checks["test_expects_an_exception"].message
    assert checks["test_gradient"].outcome is Outcome.FAILED


def test_gradcheck_names_the_difference(grade_odd):
    """What gradcheck finds is the student's failure, with both Jacobians."""
    wrong = "def square(x):\n    return x * x.detach()"
    check = next(c for c in grade_odd(square=wrong).checks if c.check.name == "test_gradient")
    assert check.outcome is Outcome.FAILED
    assert "gradcheck finds" in check.message
    assert "backward" in check.jacobians and "d result[0] / d input 1[0] is 1 by backward, 2 by" in check.jacobians


def test_a_dead_worker_is_never_forgiven():
    """A check that catches every Exception, and Hypothesis, cannot go on without the worker."""
    homework = load_homework(MINI / "odd")
    with Grading(homework, "process") as grading:
        grading.checks = [check for check in grading.checks if "forgives" in check.id]
        result = grading.grade(submitted(homework, square="import os\ndef square(x):\n    os._exit(3)"))
    assert set(result.outcomes().values()) == {Outcome.CRASHED}
    messages = {check.message for check in result.checks}
    assert messages == {"your code ended the Python process (exit status 3)"}


# -- check files that are wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "source", "message"),
    [
        ("test_square.py", "def test_a(hw):\n    pass\n", "test_a has no docstring"),
        ("test_circle.py", 'def test_a(hw):\n    """A."""\n', "there is no question 'circle'"),
        ("test_square.py", "def test_a(hw:\n    pass\n", "test_square.py cannot be collected: SyntaxError: "),
        ("test_square.py", "import no_such_module\n", "cannot be collected: ModuleNotFoundError: No module"),
        (
            "test_square.py",
            'import pytest\n@pytest.mark.visibility("all")\ndef test_a(hw):\n    """A."""\n',
            "visibility is one of public, hidden, secret",
        ),
        (
            "test_square.py",
            'import pytest\n@pytest.mark.point(2)\ndef test_a(hw):\n    """A."""\n',
            "'point' not found in `markers`",
        ),
    ],
    ids=["no-docstring", "unknown-question", "syntax-error", "import-error", "visibility", "unknown-mark"],
)
def test_a_wrong_check_file_is_a_config_error(tmp_path, monkeypatch, file, source, message):
    """What is wrong with a check file is one line for the instructor."""
    root = tmp_path / "mini"
    shutil.copytree(MINI, root)
    (root / "checks" / file).write_text(source, encoding="utf-8")
    monkeypatch.chdir(root)  # pytest goes there, and must come back
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in [name for name in sys.modules if name.startswith(("checks.", "assignment."))]:
        monkeypatch.delitem(sys.modules, name)  # of the collection before this one
    with pytest.raises(ConfigError) as raised:
        Judge(load_homework(root)).collect()
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_grading_refuses_wrong_checks(tmp_path):
    """The same through the grader; and a question without any check is refused too."""
    root = tmp_path / "mini"
    shutil.copytree(MINI, root)
    (root / "checks/test_both.py").unlink()
    with pytest.raises(ConfigError, match="no check judges the question 'both'"):
        Grading(load_homework(root), "none")
    (root / "checks/test_both.py").write_text("def test_a(hw):\n    pass\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="test_a has no docstring"):
        Grading(load_homework(root), "none")


@pytest.mark.parametrize(
    "body",
    [
        'pytest.fail("too small") if hw.square(torch.ones(1, dtype=dtype)) != 2 else None',
        "pytest.raises(ValueError, lambda: hw.square(torch.ones(1, dtype=dtype)))",
    ],
    ids=["fail", "raises"],
)
def test_a_check_may_fail_in_the_words_of_pytest(tmp_path, body):
    """Also where Hypothesis drew a dtype, with which it is run once more to explain it."""
    root = tmp_path / "homework"
    shutil.copytree(MINI, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "checks/test_square.py").write_text(
        "import pytest\nimport torch\nfrom hypothesis import given, strategies as st\n\n"
        "@given(dtype=st.just(torch.float32))\n"
        f'def test_a(hw, dtype):\n    """A."""\n    {body}\n',
        encoding="utf-8",
    )
    homework = load_homework(root)
    with Grading(homework, "process") as grading:
        result = grading.grade(submitted(homework), ["square"])
    (check,) = (check for check in result.checks if check.check.name == "test_a")
    assert check.outcome is Outcome.FAILED and ("too small" in check.message or "DID NOT RAISE" in check.message)


def test_trouble_while_a_failure_is_explained_costs_a_part_of_it_only():
    """Code that hangs when it is called once more has failed all the same, is told so, and the next check runs."""
    homework = load_homework(MINI / "odd")
    source = """
    calls = 0
    def square(x):
        global calls
        calls += x.dtype == x.double().dtype
        while calls > 5:
            pass
        return x * x.detach()
    """
    with Grading(homework, "process") as grading:
        checks = {c.check.name: c for c in grading.grade(submitted(homework, square=textwrap.dedent(source))).checks}
    gradient = checks["test_gradient"]
    assert (gradient.outcome, gradient.jacobians, gradient.hint) == (Outcome.FAILED, "", "")
    assert gradient.message == GRADCHECK and gradient.example


TIERS = """
[tool.autograder.tiers]
"square::test_values" = "public"
"square::test_dtype[double]" = "secret"
cube = "secret"
"""


def test_tiers_are_a_matter_of_configuration(tmp_path: Path):
    """Of one check, or of all hidden ones of a question; a mark says what is not said there."""
    shutil.copytree(MINI, tmp_path / "homework", ignore=shutil.ignore_patterns("odd", "__pycache__"))
    config = tmp_path / "homework/pyproject.toml"
    config.write_text(config.read_text() + TIERS)
    with Grading(load_homework(config.parent), "none") as grading:
        tiers = {f"{check.question}::{check.name}": check.visibility for check in grading.checks}
    assert tiers["square::test_values"] == "public" and tiers["square::test_dtype[double]"] == "secret"
    assert tiers["square::test_dtype[single]"] == "hidden" and tiers["square::test_zero"] == "secret"
    assert (
        tiers["cube::test_values"] == tiers["cube::test_gradient"] == "secret"
        and tiers["cube::test_example"] == "public"
    )


@pytest.mark.parametrize(
    ("row", "reason"), [('"square::test_nothing" = "public"', "test_nothing"), ('squares = "secret"', "squares")]
)
def test_a_tier_of_nothing_is_told(tmp_path: Path, row: str, reason: str):
    """A name that is misspelled would leave a check as it was."""
    shutil.copytree(MINI, tmp_path / "homework", ignore=shutil.ignore_patterns("odd", "__pycache__"))
    config = tmp_path / "homework/pyproject.toml"
    config.write_text(f"{config.read_text()}\n[tool.autograder.tiers]\n{row}\n")
    with pytest.raises(ConfigError, match=f"there is no question or question::check .*{reason}"):
        Grading(load_homework(config.parent), "none")
