"""Scoring: only PASSED earns, and what the grader failed at is withheld."""

import pytest

from autograder.config import Homework, Question
from autograder.results import CheckInfo, CheckResult, Outcome
from autograder.scoring import score

HOMEWORK = Homework(
    root=".",
    title="test",
    questions=(
        Question(name="linear", points=10, file="linear.py"),
        Question(name="sgd", points=5, file="sgd.py"),
        Question(name="relu", points=5, file="relu.py"),
        Question(name="mnist", points=10, needs=("linear", "sgd", "relu")),
    ),
)


def check(question: str, outcome: Outcome, points: float = 1) -> CheckResult:
    """A check's result."""
    return CheckResult(CheckInfo(f"x::{question}", question, "title", points, "public"), outcome)


def scores(*results: CheckResult, gates: dict[str, tuple[str, ...]] | None = None) -> dict[str, float | None]:
    """The scores by question."""
    return {question.name: question.score for question in score(HOMEWORK, results, gates or {})}


def test_questions_are_in_the_homeworks_order_and_without_checks_withheld():
    """Questions are in the homeworks order and without checks withheld."""
    assert scores() == {"linear": None, "sgd": None, "relu": None, "mnist": None}


def test_full_marks_are_exact():
    """Full marks are exact."""
    results = [check("linear", Outcome.PASSED, points) for points in (0.1, 0.2, 0.3, 0.7)]
    assert scores(*results)["linear"] == 10


def test_fraction_is_by_check_points():
    """Fraction is by check points."""
    assert scores(check("linear", Outcome.PASSED, 3), check("linear", Outcome.FAILED, 1))["linear"] == 7.5


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED])
def test_only_passed_earns(outcome):
    """Only passed earns."""
    assert scores(check("linear", outcome), check("linear", Outcome.PASSED))["linear"] == 5


def test_skipped_counts_neither_way():
    """Skipped counts neither way."""
    assert scores(check("linear", Outcome.PASSED), check("linear", Outcome.SKIPPED, 5))["linear"] == 10
    assert scores(check("linear", Outcome.SKIPPED))["linear"] is None


def test_internal_error_withholds_its_question_only():
    """Internal error withholds its question only."""
    results = [
        check("linear", Outcome.PASSED),
        check("linear", Outcome.INTERNAL_ERROR),
        check("sgd", Outcome.PASSED),
    ]
    assert scores(*results) == {"linear": None, "sgd": 5, "relu": None, "mnist": None}


def test_checks_worth_nothing_are_no_score():
    """Checks worth nothing are no score."""
    assert scores(check("linear", Outcome.PASSED, 0))["linear"] is None


@pytest.mark.parametrize("outcome", list(Outcome))
def test_gate_is_zero_whatever_the_checks_say(outcome):
    """Gate is zero whatever the checks say."""
    gates = {"linear": ("linear.py:1 uses torch.nn.Linear, which this homework bans",), "sgd": ()}
    linear, sgd, *_ = score(HOMEWORK, [check("linear", outcome), check("sgd", Outcome.PASSED)], gates)
    assert (linear.score, linear.gate) == (0, gates["linear"])
    assert (sgd.score, sgd.gate) == (5, ())


class TestNote:
    """A question that runs on other answers says which to mend first."""

    def note(self, *lost: str, mnist: Outcome = Outcome.FAILED) -> str:
        """The note of mnist when these questions lost points."""
        names = ("linear", "sgd", "relu")
        results = [check(name, Outcome.FAILED if name in lost else Outcome.PASSED) for name in names]
        return score(HOMEWORK, [*results, check("mnist", mnist)], {})[-1].note

    def test_names_what_lost_points(self):
        """Names what lost points."""
        assert self.note("sgd") == "`mnist` runs on your own parts; `sgd` lost points: mend it first."
        assert self.note("linear", "sgd") == (
            "`mnist` runs on your own parts; `linear` and `sgd` lost points: mend them first."
        )
        assert "`linear`, `sgd` and `relu` lost points" in self.note("linear", "sgd", "relu")

    def test_is_silent_when_there_is_nothing_to_say(self):
        """Is silent when there is nothing to say."""
        assert self.note() == ""
        assert self.note("linear", mnist=Outcome.PASSED) == ""
        assert self.note("linear", mnist=Outcome.INTERNAL_ERROR) == ""
