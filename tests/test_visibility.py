"""What a student may see: nothing of a hidden check's inputs, whatever student code does to get it out."""

import pytest

from autograder.results import CheckInfo, CheckResult, Frame, Outcome
from autograder.visibility import for_student


def result(visibility: str, message: str = "ValueError: canary") -> CheckResult:
    """A failed check that says canary wherever it can."""
    info = CheckInfo("checks/test_linear.py::test_x[canary]", "linear", "The title", 2.0, visibility)
    frames = (Frame("linear.py", 12, "canary", "X @ W"),)
    return CheckResult(info, Outcome.FAILED, message, frames, output="canary", seconds=1.5, calls=3)


def test_public_is_shown_whole():
    """Public is shown whole."""
    assert for_student(result("public")) == result("public")


def test_hidden_keeps_title_outcome_type_and_place():
    """Hidden keeps title outcome type and place."""
    shown = for_student(result("hidden"))
    assert (shown.check.title, shown.outcome, shown.message, shown.output) == (
        "The title",
        Outcome.FAILED,
        "ValueError",
        "",
    )
    assert shown.frames == (Frame("linear.py", 12, "", "X @ W"),)


@pytest.mark.parametrize(
    "message",
    [
        "canary",
        "Canary: x",
        "CanaryError: x",
        "print: canary",
        "the gradient is canary",
        "",
        "ValueErrorcanary",
    ],
)
def test_hidden_shows_only_built_in_types(message):
    """Hidden shows only built in types."""
    assert for_student(result("hidden", message)).message == ""


@pytest.mark.parametrize("visibility", ["secret", "anything else"])
def test_secret_shows_nothing(visibility):
    """Secret shows nothing."""
    shown = for_student(result(visibility))
    assert shown.check.title == "A secret check of linear"
    assert "canary" not in repr(shown) and "The title" not in repr(shown)
    assert (shown.outcome, shown.check.points, shown.frames) == (Outcome.FAILED, 2.0, ())
