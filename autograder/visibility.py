"""What a student may see of a check: all of a public one, little of a hidden one, nothing of a secret one.

Student code runs while a check's inputs are in its hands, and whatever it can make a result say, it can make it say
those inputs. So of a hidden check only what is fixed beforehand is shown: its title, a hint of ours, the type of an
exception and what Python or torch always says of it, and places in the submission.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from .results import CheckResult, Frame

FRAMES = 3  # of a traceback, the innermost: many lines together could spell an input
UNUSABLE = "the check could not use what your code gave it: "  # how `blame` begins where student code did not raise
SLOTS = {
    "n": r"[-\d\[\], x().]{1,80}",
    "w": r"([A-Za-z_<][\w.<>]{0,200})",
    "o": r"([-+*/%@&|^<>]{1,2}=?|\*\*=?|\*\* or pow\(\))",
}
SLOT = r"\{([nwo])\}"
BLANK = "..."
# Words of messages that say nothing of the submission's: types and dtypes.
WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        NoneType int float bool str list tuple dict set function method type generator module object Tensor Parameter
        ndarray numpy.ndarray Size Float Double Half BFloat16 Long Int Bool double long half float64 float32 float16
        bfloat16 int64 int32 torch.FloatTensor torch.DoubleTensor torch.LongTensor
        """,
    )
)
MESSAGES = Path(__file__).parent / "templates" / "messages.txt"  # what Python and torch always say


def for_student(result: CheckResult) -> CheckResult:
    """Cut a check's result to what the student may see.

    Of a hidden check remain the title, the outcome, the hint, the type of the exception where it is a built-in one, its
    message where it is one that Python or torch always gives, and the last frames without their functions' names: those
    are the worker's word, and student code could put there what the check sent it. A frame's source line is the
    submission's own.
    """
    check = result.check
    if check.visibility == "public":
        return result
    if check.visibility == "hidden":
        frames = tuple(Frame(frame.file, frame.line, "", frame.source) for frame in result.frames[-FRAMES:])
        return CheckResult(check, result.outcome, _exception(result.message, frames), frames, hint=result.hint)
    title = f"A secret check of {check.question}"
    check = dataclasses.replace(check, id=f"secret::{check.question}", title=title)
    return CheckResult(check=check, outcome=result.outcome)


def counts(results: Iterable[CheckResult]) -> dict[str, tuple[int, int]]:
    """By question, how many of its secret checks passed, and how many there are: all that is said of them."""
    found: dict[str, tuple[int, int]] = {}
    for result in results:
        if result.check.visibility not in ("public", "hidden"):
            passed, of = found.get(result.check.question, (0, 0))
            found[result.check.question] = passed + (result.outcome == "PASSED"), of + 1
    return found


def _exception(message: str, frames: Iterable[Frame]) -> str:
    """The type of a built-in exception, and its message as far as it is a known one."""
    match = re.match(r"(\w+)(?:: (.*)|$)", message.removeprefix(UNUSABLE))
    kind = getattr(builtins, match[1], None) if match else None
    if not (match and isinstance(kind, type) and issubclass(kind, BaseException)):
        return ""
    known = told(match[2] or "", _words(frames))
    return f"{match[1]}: {known}" if known else match[1]


def always_said(message: str, frames: Iterable[Frame]) -> bool:
    """Whether a message is Python's or torch's own, with nothing in it that varies: no number, only known words."""
    _, _, rest = message.removeprefix(UNUSABLE).partition(": ")
    return bool(rest) and told(rest, _words(frames)) == rest


def _words(frames: Iterable[Frame]) -> set[str]:
    return {word for frame in frames for word in re.findall(r"[A-Za-z_]\w*", frame.source)}


def told(message: str, words: Collection[str] = ()) -> str:
    """What Python or torch always says, without its numbers; nothing of any other message.

    Args:
        message: an exception's text; only its first line is looked at.
        words: what may be repeated besides the names of types: those in the lines that are shown anyway.
    """
    if len(message) > 1_000:
        return ""
    for template, pattern in _patterns():
        if match := pattern.fullmatch(message.partition("\n")[0].strip()):
            return re.sub(SLOT, functools.partial(_shown, iter(match.groups()), words), template)
    return ""


def _shown(found: Iterator[str], words: Collection[str], slot: re.Match[str]) -> str:
    """What to put in a slot: never a number, an operator as it is, a word if it may be repeated."""
    if slot[1] == "n":
        return BLANK
    word = next(found)
    return word if slot[1] == "o" or word in words or word in WORDS else BLANK


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(SLOT, template)
    return re.compile("".join(SLOTS[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)))


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    lines = MESSAGES.read_text(encoding="utf-8").splitlines()
    return [(line, _pattern(line)) for line in lines if not line.startswith("#")]
