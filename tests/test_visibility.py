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


def shown_alone(one: CheckResult) -> CheckResult:
    """What the student sees of the only check of a submission."""
    (shown,) = for_student([one])
    return shown


def test_public_is_shown_whole():
    """Public is shown whole."""
    assert shown_alone(result("public")) == result("public")


def test_hidden_keeps_title_outcome_type_and_place():
    """Hidden keeps title outcome type and place."""
    shown = shown_alone(result("hidden"))
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
    shown = shown_alone(dataclasses.replace(result("hidden"), hint="Look at the sign.", **parts))
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
    assert shown_alone(result("hidden", message)).message == shown


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


def at(visibility: str, *lines: int, file: str = "linear.py", message: str = "ValueError", question: str = "linear"):
    """A check that failed at these lines, the last one innermost."""
    failed = result(visibility, message)
    frames = tuple(Frame(file, line, "f", f"line {line} @ X") for line in lines)
    return dataclasses.replace(failed, check=dataclasses.replace(failed.check, question=question), frames=frames)


def places(*checks: CheckResult) -> list[list[tuple[str, int, str]]]:
    """What is told of where each check failed."""
    return [[(frame.file, frame.line, frame.source) for frame in shown.frames] for shown in for_student(checks)]


class TestPlaces:
    """A hundred lines could spell an input, so a question's hidden checks tell one."""

    def test_the_innermost_line_of_the_first_is_told(self):
        """And of the others that they have the same, or are in the same file."""
        shown = places(at("hidden", 3, 7), at("hidden", 1, 5), at("hidden", 3, 4, 7))
        assert shown == [
            [("linear.py", 7, "line 7 @ X")],
            [("linear.py", 0, "")],
            [("linear.py", 7, "line 7 @ X")],
        ]

    def test_a_check_without_a_place_does_not_use_it_up(self):
        """The next one that has a place tells it."""
        assert places(at("hidden"), at("hidden", 5)) == [[], [("linear.py", 5, "line 5 @ X")]]

    def test_the_innermost_line_of_a_public_check_is_no_news(self):
        """Wherever it comes; its outer ones are news, for there may be any number of them."""
        shown = places(at("hidden", 1), at("hidden", 6), at("hidden", 5), at("public", 5, 6))
        assert [lines[0][1] for lines in shown[:3]] == [1, 6, 0]

    def test_a_file_is_not_named_unless_it_was_before(self):
        """The name of one of many files would spell as much as the number of a line."""
        assert places(at("hidden", 1), at("hidden", 1, file="other.py"))[1] == []

    def test_each_question_tells_its_own(self):
        """What a student has to mend in one says nothing of another."""
        shown = places(at("hidden", 1), at("hidden", 2, question="relu"))
        assert [lines[0][1] for lines in shown] == [1, 2]

    def test_one_message_is_told_with_its_words(self):
        """What other checks say is told without, unless it is the same again."""
        messages = ["'NoneType' object has no attribute 'X'", "'float' object has no attribute 'T'"]
        checks = [at("hidden", 1, message=f"AttributeError: {message}") for message in (*messages, messages[0])]
        assert [shown.message for shown in for_student(checks)] == [
            f"AttributeError: {messages[0]}",
            "AttributeError: '...' object has no attribute '...'",
            f"AttributeError: {messages[0]}",
        ]

    def test_operators_and_words_are_those_of_the_line(self):
        """Any other would be the student's to choose."""
        message = "TypeError: unsupported operand type(s) for {}: 'int' and 'line'"
        shown = [shown_alone(at("hidden", 1, message=message.format(operator))).message for operator in ("@", "-")]
        assert shown == [message.format("@"), message.format("...")]


def test_a_table_of_lines_spells_one_place_a_question():
    """Code that raises at whichever of 2,048 lines it likes, with what messages it likes: what can be read out of it.

    Ten hidden checks would have told 11 bits with each line. What differs, as what is asked differs, is counted.
    """

    def failing(number: int) -> CheckResult:
        line = number % 2048 + 1
        message = f"TypeError: unsupported operand type(s) for {'+-*/@&|^'[number % 8]}: 'int' and 'float'"
        return dataclasses.replace(
            at("hidden", (number * 31) % 2048 + 1, line, message=message),
            output=f"{number}",
            comparison=f"{number}",
        )

    numbers = [123, 2000, 7, 1024, 88, 1999, 4, 512, 1, 2047]
    shown = for_student([failing(number) for number in numbers])
    assert {repr(one) for one in shown[1:]} == {repr(shown[1])}  # nothing is left of what nine of them were asked
    told_by_first = {repr(for_student([failing(number), failing(0)])) for number in range(2048)}
    assert len(told_by_first) <= 2048  # and 11 bits of the first


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
    assert shown_alone(result("hidden", message)).message == ""


@pytest.mark.parametrize("visibility", ["secret", "anything else"])
def test_secret_shows_nothing(visibility):
    """Secret shows nothing."""
    shown = shown_alone(result(visibility))
    assert shown.check.title == "A secret check of linear"
    assert "canary" not in repr(shown) and "The title" not in repr(shown)
    assert (shown.outcome, shown.check.points, shown.frames) == (Outcome.FAILED, 2.0, ())
