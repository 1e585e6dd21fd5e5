"""Whose fault an exception in a check is: the one table that turns what was raised into an outcome."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import hypothesis.errors
import pytest
from torch.autograd.gradcheck import GradcheckError

from .errors import (
    AutograderError,
    CannotCross,
    RemoteError,
    WireError,
    WorkerCrashed,
    WorkerLost,
    WorkerTimedOut,
)
from .proxies import RemoteObject
from .results import Frame, Outcome

# What torch and C++ say when an allocation fails under a memory limit; torch raises a plain RuntimeError.
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "std::bad_alloc", "Cannot allocate memory")
MAX_MESSAGE = 8_000  # characters


@dataclass(frozen=True)
class Verdict:
    """What to make of a check's end. Not `certain`: the check goes wrong with the solution too, if it is to blame."""

    outcome: Outcome
    message: str = ""
    frames: tuple[Frame, ...] = ()
    certain: bool = True


def judge(error: BaseException | None) -> Verdict:
    """Turn what a check raised, if anything, into a verdict."""
    if error is None:
        return Verdict(Outcome.PASSED)
    message = describe(error)
    match error:
        case pytest.skip.Exception():
            return Verdict(Outcome.SKIPPED, message)
        case WorkerTimedOut():
            return Verdict(Outcome.TIMED_OUT, message)
        case WorkerCrashed():
            return Verdict(Outcome.CRASHED, message, certain=False)
        case WireError():
            return Verdict(
                Outcome.FAILED, f"your code disturbed its connection to the grader: {message}", certain=False
            )
        case RemoteError():
            frames = tuple(Frame(*frame) for frame in error.frames)
            return Verdict(_of_student_exception(error), message, frames)
        case CannotCross():
            return Verdict(Outcome.FAILED, f"the check could not use what your code gave it: {message}", certain=False)
        case AutograderError() | WorkerLost():
            return Verdict(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {message}")
        case AssertionError() | pytest.fail.Exception() | GradcheckError():
            return Verdict(Outcome.FAILED, message or _asserted(error))
        case BaseExceptionGroup():  # Hypothesis: several failures, or a flaky one
            return _of_group(error, message)
        case hypothesis.errors.Flaky():
            return Verdict(Outcome.FAILED, message)
    text = f"the check could not use what your code gave it: {type(error).__name__}: {message}"
    return Verdict(Outcome.FAILED, text, certain=False)


def describe(error: BaseException) -> str:
    """An exception's text, with the notes that Hypothesis adds (the falsifying example), cut."""
    text = "\n".join([str(error), *getattr(error, "__notes__", ())]).strip()
    text = text.replace(str(RemoteObject), "an object that is no tensor")
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}\n[cut: {len(text)} characters in all]"


def _asserted(error: BaseException) -> str:
    """The line of an assertion that says nothing itself."""
    frames = traceback.extract_tb(error.__traceback__)
    return str(frames[-1].line or "") if frames else ""


def _of_student_exception(error: RemoteError) -> Outcome:
    if error.type_name == "MemoryError" or any(words in error.message for words in OUT_OF_MEMORY):
        return Outcome.OUT_OF_MEMORY
    return Outcome.FAILED


def _of_group(group: BaseExceptionGroup, message: str) -> Verdict:
    inner = [judge(error) for error in group.exceptions]
    internal = [verdict for verdict in inner if verdict.outcome is Outcome.INTERNAL_ERROR]
    if internal:
        return internal[0]
    parts = [message, *(verdict.message for verdict in inner)]
    frames = next((verdict.frames for verdict in inner if verdict.frames), ())
    certain = all(verdict.certain for verdict in inner)
    return Verdict(Outcome.FAILED, "\n".join(parts)[:MAX_MESSAGE], frames, certain)
