"""Everything the engine raises, in one place.

Ours, and what each means for a run::

    AutograderError                 one line for the person at the keyboard; never about a student
    ├── ConfigError                 [tool.autograder], a check file or a command's argument is wrong
    ├── SubmissionError             a submission cannot be read at all (broken zip, empty folder)
    ├── StubError                   the markers in a solution file are wrong
    ├── IsolationError              this machine cannot confine student code as asked
    └── CannotCross                 a check handed over, or asked for, what cannot cross to the worker

The student's, inside a check::

    RemoteError                     student code raised; ordinary, so that checks can catch it
    WorkerLost                      the worker is gone. A BaseException: neither Hypothesis nor an
    ├── WorkerTimedOut              `except Exception` may swallow it and go on with a dead worker
    ├── WorkerCrashed
    ├── WireError                   the worker broke the protocol: a forged, malformed or surplus frame
    └── ZygoteGone                  so is the process that forks workers: the supervisor starts another
"""

from __future__ import annotations

import builtins
from typing import Any


class AutograderError(Exception):
    """Base of the errors a user of the command line can meet: one line, what was wrong and what to do."""


class ConfigError(AutograderError):
    """The homework's configuration, a check file or a command's argument is wrong."""


class SubmissionError(AutograderError):
    """A submission cannot be read at all."""


class StubError(AutograderError):
    """The `# BEGIN SOLUTION` / `# END SOLUTION` markers of a solution file are wrong."""


class IsolationError(AutograderError):
    """This machine cannot confine student code as asked."""


class CannotCross(AutograderError):
    """A check handed over, or asked for, something that cannot cross between grader and worker."""


class RemoteError(Exception):
    """Student code raised; the exception crossed as data.

    Attributes:
        type_name: the exception's type, as the worker named it.
        message: its text, cut.
        frames: `(file, line, function, source)` of the frames in the student's files, outermost first.
    """

    def __init__(self, type_name: str, message: str, frames: tuple[tuple[str, int, str, str], ...] = ()):
        self.type_name, self.message, self.frames = type_name, message, frames
        BaseException.__init__(self, f"{type_name}: {message}" if message else type_name)

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}" if self.message else self.type_name


# A check may say `pytest.raises(ValueError)` of student code, and `hasattr` must work on a proxy: so the built-in
# exceptions that can be a second base keep their type. Names come from this table, never from the worker's text.
_BUILTIN = (
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BufferError",
    "ImportError",
    "IndexError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "OverflowError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "TypeError",
    "UnboundLocalError",
    "ValueError",
    "ZeroDivisionError",
)
_TYPED: dict[str, type[RemoteError]] = {
    name: type(f"Remote{name}", (RemoteError, getattr(builtins, name)), {"__doc__": f"Student code raised {name}."})
    for name in _BUILTIN
}


def remote_error(type_name: str, message: str, frames: Any = ()) -> RemoteError:
    """Build the RemoteError for an exception's type name, a subclass of that built-in type where there is one."""
    return _TYPED.get(type_name, RemoteError)(type_name, message, tuple(frames))


class WorkerLost(BaseException):
    """The worker is gone, or can no longer be trusted to answer."""


class WorkerTimedOut(WorkerLost):
    """The worker used up its processor time, or the wall limit."""


class WorkerCrashed(WorkerLost):
    """The worker's process ended."""


class WireError(WorkerLost):
    """The worker broke the protocol."""


class ZygoteGone(WorkerLost):
    """The process that forks workers is gone."""
