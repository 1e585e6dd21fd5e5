"""What a student may see: nothing of a hidden check's inputs, whatever student code does to get it out."""

import dataclasses
import math

import pytest
import torch

from autograder.results import CheckInfo, CheckResult, Frame, Outcome
from autograder.visibility import MESSAGES, counts, for_student, told


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


def test_hidden_keeps_the_hint_and_nothing_that_was_explained():
    """A hint is ours; what came, what was expected and the example are the check's."""
    parts = dict.fromkeys(("comparison", "jacobians", "example"), "canary")
    shown = for_student(dataclasses.replace(result("hidden"), hint="Look at the sign.", **parts))
    assert shown.hint == "Look at the sign." and "canary" not in repr((*shown.frames, shown.message, shown.comparison))
    assert (shown.comparison, shown.jacobians, shown.example, shown.output) == ("", "", "", "")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (... and ...)",
        ),
        (
            "AttributeError: 'NoneType' object has no attribute 'X'",
            "AttributeError: 'NoneType' object has no attribute 'X'",
        ),
        (
            "AttributeError: 'Tensor' object has no attribute 'n123'",
            "AttributeError: 'Tensor' object has no attribute '...'",
        ),
        (
            "the check could not use what your code gave it: TypeError: 'NoneType' object is not iterable",
            "TypeError: 'NoneType' object is not iterable",
        ),
        ("TypeError: unsupported operand type(s) for @: 'NoneType' and 'Tensor'",) * 2,
        ("ZeroDivisionError: division by zero and 123", "ZeroDivisionError"),
        (
            "IndexError: index 7 is out of bounds for dimension 0 with size 3\nX = [123]",
            "IndexError: index ... is out of bounds for dimension ... with size ...",
        ),
        ("RuntimeError: the input is [1, 2]", "RuntimeError"),
        ("MyError: division by zero", ""),
        ("KeyError: 'x'", "KeyError"),
    ],
)
def test_hidden_repeats_only_what_python_and_torch_always_say(message, shown):
    """No numbers, no shapes, and no words but types' and those of the line that is shown anyway."""
    assert for_student(result("hidden", message)).message == shown


def test_every_known_message_is_recognised():
    """Each line of the table is found again when its slots are filled, and none of what fills them is told."""
    for line in MESSAGES.read_text(encoding="utf-8").splitlines()[2:]:
        message = line.replace("{n}", "(12, 34)").replace("{w}", "canary").replace("{o}", "**")
        assert told(message) and "canary" not in told(message) and "12" not in told(message), line


def test_known_messages_are_those_of_this_python_and_this_torch():
    """What goes wrong most often is told in the words of the table."""
    found = []
    x = torch.ones(3, requires_grad=True)
    for mistake in (
        lambda: torch.ones(2, 3) @ torch.ones(2, 3),
        lambda: torch.ones(2) + torch.ones(3),
        lambda: torch.ones(2, 3).T.view(6),
        lambda: torch.ones(2, 2).double() @ torch.ones(2, 2),
        lambda: torch.ones(2)[5],
        lambda: x.numpy(),
        lambda: x.add_(1),
        lambda: x.backward(),
        lambda: None.shape,
        lambda: None + 1,
        lambda: torch.stack([]),
        lambda: bool(x),
        lambda: (lambda a: a)(),
        lambda: math.log(-1),
    ):
        with pytest.raises(Exception) as caught:
            mistake()
        found.append((str(caught.value), told(str(caught.value))))
    assert [message for message, shown in found if not shown] == []


def test_only_the_last_frames_are_shown():
    """A hundred lines could spell an input."""
    frames = tuple(Frame("linear.py", line, "f", "X") for line in range(1, 101))
    shown = for_student(dataclasses.replace(result("hidden"), frames=frames)).frames
    assert [frame.line for frame in shown] == [98, 99, 100]


def test_secret_checks_are_counted_by_question():
    """How many passed, of how many: and nothing else."""
    passed = dataclasses.replace(result("secret"), outcome=Outcome.PASSED)
    assert counts([result("secret"), passed, result("hidden"), result("public")]) == {"linear": (1, 2)}


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
