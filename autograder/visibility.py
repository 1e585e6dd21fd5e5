"""What a student may see of a check: all of a public one, little of a hidden one, nothing of a secret one."""

from __future__ import annotations

import builtins
import dataclasses
import re

from .results import CheckResult, Frame


def for_student(result: CheckResult) -> CheckResult:
    """Cut a check's result to what the student may see.

    Of a hidden check remain the title, the outcome, the type of the exception where it is a built-in one, and
    the last frame without its function's name: that is the worker's word, and student code could put there what
    the check sent it, as it could into the line numbers of many frames. The source line is the submission's own.
    """
    check = result.check
    if check.visibility == "public":
        return result
    if check.visibility == "hidden":
        frames = tuple(Frame(frame.file, frame.line, "", frame.source) for frame in result.frames[-1:])
        return dataclasses.replace(result, message=_exception(result.message), frames=frames, output="")
    title = f"A secret check of {check.question}"
    check = dataclasses.replace(check, id=f"secret::{check.question}", title=title)
    return CheckResult(check=check, outcome=result.outcome)


def _exception(message: str) -> str:
    match = re.match(r"(\w+)(?=:|$)", message)
    kind = getattr(builtins, match[1], None) if match else None
    return match[1] if match and isinstance(kind, type) and issubclass(kind, BaseException) else ""
