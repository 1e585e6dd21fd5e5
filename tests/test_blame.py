"""Blame: every way a check can end, and the outcome it gets; the table of the design, row by row."""

from __future__ import annotations

import hypothesis.errors
import pytest
import torch
from hypothesis.errors import FlakyFailure
from torch.autograd.gradcheck import GradcheckError

from autograder import blame, errors
from autograder.blame import judge
from autograder.errors import (
    AutograderError,
    CannotCross,
    ConfigError,
    IsolationError,
    RemoteError,
    StubError,
    SubmissionError,
    WireError,
    WorkerCrashed,
    WorkerLost,
    WorkerTimedOut,
    ZygoteGone,
    remote_error,
)
from autograder.results import Frame, Outcome

CERTAIN, UNSURE = True, False
FAILURE, STUDENTS = AssertionError("3 is not 4"), remote_error("ValueError", "no")
GONE = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4294967296 bytes. Error code 12"
TABLE = {
    # the check's own word
    "nothing raised": (None, Outcome.PASSED, CERTAIN),
    "assertion": (AssertionError("3 is not 4"), Outcome.FAILED, CERTAIN),
    "pytest.fail": (pytest.fail.Exception("no"), Outcome.FAILED, CERTAIN),
    "pytest.raises unmet": (pytest.fail.Exception("DID NOT RAISE ValueError"), Outcome.FAILED, CERTAIN),
    "pytest.xfail": (pytest.xfail.Exception("no"), Outcome.FAILED, CERTAIN),
    "pytest.skip": (pytest.skip.Exception("no data"), Outcome.SKIPPED, CERTAIN),
    "gradcheck": (GradcheckError("Jacobian mismatch"), Outcome.FAILED, CERTAIN),
    # student code raised
    "student's ValueError": (remote_error("ValueError", "no"), Outcome.FAILED, CERTAIN),
    "student's own class": (remote_error("MyError", "no"), Outcome.FAILED, CERTAIN),
    "student's assertion": (remote_error("AssertionError", "no"), Outcome.FAILED, CERTAIN),
    "stub": (remote_error("NotImplementedError", "linear"), Outcome.FAILED, CERTAIN),
    "sys.exit": (remote_error("SystemExit", "3"), Outcome.FAILED, CERTAIN),
    "student's interrupt": (remote_error("KeyboardInterrupt", ""), Outcome.FAILED, CERTAIN),
    "student's recursion": (remote_error("RecursionError", "maximum depth"), Outcome.FAILED, CERTAIN),
    "student's TypeError": (remote_error("TypeError", "no"), Outcome.FAILED, CERTAIN),
    "student names ours": (remote_error("CannotCross", "no"), Outcome.FAILED, CERTAIN),
    "student names pytest's": (remote_error("Skipped", "no"), Outcome.FAILED, CERTAIN),
    "MemoryError": (remote_error("MemoryError", ""), Outcome.OUT_OF_MEMORY, CERTAIN),
    "torch's out of memory": (remote_error("RuntimeError", GONE), Outcome.OUT_OF_MEMORY, CERTAIN),
    "std::bad_alloc": (remote_error("RuntimeError", "std::bad_alloc"), Outcome.OUT_OF_MEMORY, CERTAIN),
    "ENOMEM": (remote_error("OSError", "[Errno 12] Cannot allocate memory"), Outcome.OUT_OF_MEMORY, CERTAIN),
    # the worker is gone
    "timed out": (WorkerTimedOut("10 seconds"), Outcome.TIMED_OUT, CERTAIN),
    "crashed": (WorkerCrashed("exit status 3"), Outcome.CRASHED, UNSURE),
    "protocol": (WireError("a surplus frame"), Outcome.FAILED, UNSURE),
    # ours
    "zygote gone": (ZygoteGone("it has ended"), Outcome.INTERNAL_ERROR, CERTAIN),
    "worker lost": (WorkerLost("gone"), Outcome.INTERNAL_ERROR, CERTAIN),
    "config": (ConfigError("no threshold"), Outcome.INTERNAL_ERROR, CERTAIN),
    "submission": (SubmissionError("broken"), Outcome.INTERNAL_ERROR, CERTAIN),
    "stub markers": (StubError("markers"), Outcome.INTERNAL_ERROR, CERTAIN),
    "isolation": (IsolationError("no"), Outcome.INTERNAL_ERROR, CERTAIN),
    "autograder": (AutograderError("no"), Outcome.INTERNAL_ERROR, CERTAIN),
    # the check stumbled: over what it was given, or over itself
    "cannot cross": (CannotCross("a lambda"), Outcome.FAILED, UNSURE),
    "TypeError": (TypeError("unsupported operand"), Outcome.FAILED, UNSURE),
    "AttributeError": (AttributeError("'NoneType' object has no attribute 'sum'"), Outcome.FAILED, UNSURE),
    "RuntimeError": (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), Outcome.FAILED, UNSURE),
    "IndexError": (IndexError("list index out of range"), Outcome.FAILED, UNSURE),
    "RecursionError": (RecursionError("maximum recursion depth exceeded"), Outcome.FAILED, UNSURE),
    "our MemoryError": (MemoryError(), Outcome.FAILED, UNSURE),
    "exit in the check": (SystemExit(1), Outcome.FAILED, UNSURE),
    "unsatisfiable": (hypothesis.errors.Unsatisfiable("no examples"), Outcome.FAILED, UNSURE),
    "health check": (hypothesis.errors.FailedHealthCheck("filters too much"), Outcome.FAILED, UNSURE),
    # several at once
    "flaky": (hypothesis.errors.Flaky("unreliable"), Outcome.FAILED, CERTAIN),
    "flaky failure": (FlakyFailure("unreliable", [FAILURE, FAILURE]), Outcome.FAILED, CERTAIN),
    "flaky stumble": (FlakyFailure("unreliable", [TypeError("None")]), Outcome.FAILED, UNSURE),
    "group of assertions": (ExceptionGroup("2", [FAILURE, FAILURE]), Outcome.FAILED, CERTAIN),
    "group with a student's": (ExceptionGroup("2", [FAILURE, STUDENTS]), Outcome.FAILED, CERTAIN),
    "group with a stumble": (ExceptionGroup("2", [FAILURE, TypeError("x")]), Outcome.FAILED, UNSURE),
    "group with ours": (ExceptionGroup("2", [FAILURE, ConfigError("x")]), Outcome.INTERNAL_ERROR, CERTAIN),
    "nested group with ours": (
        BaseExceptionGroup("1", [ExceptionGroup("1", [ConfigError("x")])]),
        Outcome.INTERNAL_ERROR,
        CERTAIN,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_an_end_gets_its_outcome(name):
    """Each row: what was raised, the outcome, and whether it needs no second look at the solution."""
    error, outcome, certain = TABLE[name]
    verdict = judge(error)
    assert (verdict.outcome, verdict.certain) == (outcome, certain)
    assert error is None or verdict.message or not str(error)


def test_the_table_has_a_row_for_every_error_of_ours():
    """A new class in errors.py needs a decision about whose fault it is."""
    ours = {item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, BaseException)}
    rows = {type(error) for error, _, _ in TABLE.values()}
    assert {item for item in ours if not any(issubclass(row, item) for row in rows)} == set()
    assert ours - {RemoteError} <= rows


@pytest.mark.parametrize("kind", [WorkerTimedOut, WorkerCrashed, WireError, ZygoteGone])
def test_a_lost_worker_is_no_exception(kind):
    """Neither Hypothesis nor `except Exception` may swallow it."""
    assert issubclass(kind, WorkerLost)
    assert not issubclass(kind, Exception)


def test_torch_still_words_it_so():
    """The words that torch has for memory it cannot get are in the table."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert judge(remote_error("RuntimeError", str(caught.value))).outcome is Outcome.OUT_OF_MEMORY


def test_frames_of_the_students_files_are_kept():
    """The line that raised comes with the verdict, from within a group too."""
    error = remote_error("ValueError", "no", [("linear.py", 3, "forward", "return X @ W")])
    expected = (Frame("linear.py", 3, "forward", "return X @ W"),)
    assert judge(error).frames == expected
    assert judge(ExceptionGroup("2", [AssertionError("1"), error])).frames == expected


def test_notes_are_part_of_the_message():
    """Hypothesis notes the falsifying example on the exception; students need to see it."""
    error = AssertionError("3 is not 4")
    error.add_note("Falsifying example: test(rows=1)")
    assert judge(error).message == "3 is not 4\nFalsifying example: test(rows=1)"


def test_messages_are_cut():
    """A message of a megabyte is cut, and says how long it was."""
    for error in (
        AssertionError("x" * 10**6),
        TypeError("x" * 10**6),
        ExceptionGroup("x" * 10**6, [ValueError("y" * 10**6)]),
    ):
        assert len(judge(error).message) < blame.MAX_MESSAGE + 200
    assert "1000000 characters" in judge(AssertionError("x" * 10**6)).message


@pytest.mark.parametrize(
    ("error", "words"), [(TypeError("None"), "TypeError: None"), (WireError("a surplus frame"), "connection")]
)
def test_a_message_says_whose_side_it_was(error, words):
    """A student who reads it learns that the check met something odd, and what."""
    message = judge(error).message
    assert "your code" in message
    assert words in message


def test_builtin_types_cross_and_others_do_not():
    """A check may say pytest.raises(ValueError) of student code; other names are plain RemoteErrors."""
    assert isinstance(remote_error("ValueError", "x"), ValueError)
    assert isinstance(remote_error("NotImplementedError", "x"), RuntimeError)
    assert isinstance(remote_error("KeyError", "x"), LookupError)
    assert str(remote_error("KeyError", "x")) == "KeyError: x"
    assert str(remote_error("ValueError", "")) == "ValueError"
    for name in ("SystemExit", "KeyboardInterrupt", "OSError", "Exception", "StopIteration", "WorkerLost"):
        assert type(remote_error(name, "x")) is RemoteError
