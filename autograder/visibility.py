"""What a student may see of a check: all of a public one, little of a hidden one, nothing of a secret one.

Student code runs while a check's inputs are in its hands, and whatever it can make a result say, it can make it say
those inputs. So of a hidden check only what is fixed beforehand is shown: its title, a hint of ours, the type of an
exception and what Python or torch always says of it. Places are the submission's to choose: a file of 2,000 lines that
do nothing but raise spells 11 bits with each. So a question's hidden checks tell one place together, and one message
with its words.

What remains for who makes answers fail in order to learn: of each question a line, which is log2 of the number of lines
in all files of the submission, the words of one message, and which of its mutants' hints it gets; of each hidden check
that fails how it ended, one of Python's exceptions with one of the messages in `templates/messages.txt`, less than 14
bits together, one of a dozen general hints, and which of the places that were told already, if any.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .results import CheckResult, Frame

UNUSABLE = "the check could not use what your code gave it: "  # how `blame` begins where student code did not raise
SLOTS = {
    "n": r"[-\d\[\], x().]{1,80}",
    "w": r"([A-Za-z_<][\w.<>]{0,200})",
    "o": r"([-+*/%@&|^<>]{1,2}=?|\*\*=?|\*\* or pow\(\))",
}
SLOT = r"\{([nwo])\}"
BLANK = "..."
HIDDEN = "This check is hidden: you see how and where it ended, not what it tries."
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


@dataclass
class _Told:
    """What a question's checks have told so far: nothing of it is news when another one tells it."""

    places: set[tuple[str, int]] = field(default_factory=set)  # files and lines
    placed: bool = False  # whether a hidden check has told one
    message: str = ""  # of the first hidden check that had one

    def place(self, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        """The innermost place if it is the first or a known one; its file if that is known; else nothing."""
        if not frames:
            return ()
        last = frames[-1]
        if not self.placed:
            self.placed = True
            self.places.add((last.file, last.line))
        if (last.file, last.line) in self.places:
            return (Frame(last.file, last.line, "", last.source),)
        return (Frame(last.file, 0, "", ""),) if last.file in {file for file, _ in self.places} else ()

    def words(self, message: str, line: str) -> str:
        """A known message, with its words if it is the first or the same again."""
        whole = told(message, line)
        self.message = self.message or whole
        return whole if whole == self.message else told(message, None)


def for_student(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Cut all of a submission's results to what the student may see.

    Of a hidden check remain the title, the outcome, the hint, the type of the exception where it is a built-in one, its
    message where it is one that Python or torch always gives, and the innermost place without its function's name: that
    is the worker's word, and student code could put there what the check sent it. A line's source is the submission's
    own. The first hidden check of a question that has a place tells it; the others only repeat that one, or the
    innermost one of a public check, and else name a file that was named already.
    """
    results = list(results)
    known: dict[str, _Told] = {result.check.question: _Told() for result in results}
    for result in results:
        if result.check.visibility == "public" and result.frames:
            last = result.frames[-1]
            known[result.check.question].places.add((last.file, last.line))
    return [_cut(result, known[result.check.question]) for result in results]


def _cut(result: CheckResult, known: _Told) -> CheckResult:
    check = result.check
    if check.visibility == "public":
        return result
    if check.visibility == "hidden":
        frames = known.place(result.frames)
        line = frames[0].source if frames else ""
        return CheckResult(check, result.outcome, _exception(result.message, line, known), frames, hint=result.hint)
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


def _exception(message: str, line: str, known: _Told) -> str:
    """The type of a built-in exception, and its message as far as it is a known one."""
    match = re.match(r"(\w+)(?:: (.*)|$)", message.removeprefix(UNUSABLE))
    kind = getattr(builtins, match[1], None) if match else None
    if not (match and isinstance(kind, type) and issubclass(kind, BaseException)):
        return ""
    said = known.words(match[2] or "", line)
    return f"{match[1]}: {said}" if said else match[1]


def always_said(message: str, frames: Iterable[Frame]) -> bool:
    """Whether a message is Python's or torch's own, with nothing in it that varies: no number, only known words."""
    _, _, rest = message.removeprefix(UNUSABLE).partition(": ")
    return bool(rest) and told(rest, "\n".join(frame.source for frame in frames)) == rest


def told(message: str, line: str | None = "") -> str:
    """What Python or torch always says, without its numbers; nothing of any other message.

    Args:
        message: an exception's text; only its first line is looked at.
        line: the source that is shown anyway: its words and operators may be repeated, besides the names of types; None
            where no word may be.
    """
    if len(message) > 1_000:
        return ""
    for template, pattern in _patterns():
        if match := pattern.fullmatch(message.partition("\n")[0].strip()):
            return re.sub(SLOT, functools.partial(_shown, iter(match.groups()), line), template)
    return ""


def _shown(found: Iterator[str], line: str | None, slot: re.Match[str]) -> str:
    """What to put in a slot: never a number, a type's name unless nothing may be repeated, what the line has."""
    if slot[1] == "n":
        return BLANK
    word = next(found)
    if line is None:
        return BLANK
    if slot[1] == "o":
        return word if word.partition(" ")[0] in line else BLANK
    return word if word in WORDS or word in re.findall(r"[A-Za-z_]\w*", line) else BLANK


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(SLOT, template)
    return re.compile("".join(SLOTS[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)))


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    lines = MESSAGES.read_text(encoding="utf-8").splitlines()
    return [(line, _pattern(line)) for line in lines if not line.startswith("#")]
