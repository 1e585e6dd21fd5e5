"""The page that a student reads after handing in: the score, what to do next, and why each check ended as it did.

One file that loads nothing and runs nothing, so that it can be mailed, put on any server and kept. All that student
code could choose is text in it: cut, without control characters, escaped. What is said of a check is what
`visibility` leaves of it.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import feedback
from .reports import points_text, safe_line, safe_text, said_by
from .results import CheckResult, Outcome, QuestionResult, SubmissionResult
from .visibility import HIDDEN, for_student
from .visibility import counts as secret_counts

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
MAX_LINE = 300  # characters of a title, a name, a note
MAX_MESSAGE = 2_000
MAX_PART = 4_000  # of what one part of a check says, before it is escaped
MAX_FRAMES = 10  # of a traceback
MAX_NOTES = 30
MAX_QUESTION = 40_000  # bytes of what a question's checks say; beyond that, only how they ended
# An outcome's word, its symbol and its colour, of which the last says nothing that the others do not.
OUTCOMES = {
    Outcome.PASSED: ("Passed", "✓", "good"),
    Outcome.FAILED: ("Failed", "✗", "bad"),
    Outcome.SKIPPED: ("Skipped", "-", "quiet"),
    Outcome.TIMED_OUT: ("Timed out", "!", "bad"),
    Outcome.OUT_OF_MEMORY: ("Out of memory", "!", "bad"),
    Outcome.CRASHED: ("Crashed", "!", "bad"),
    Outcome.INTERNAL_ERROR: ("Not judged", "?", "warn"),
}
NOT_FAILED = (Outcome.PASSED, Outcome.SKIPPED, Outcome.INTERNAL_ERROR)
LISTED = ("public", "hidden")
NOTHING = "There is nothing more to say about it."
LEFT_OUT = "What it says is left out, to keep this page short."
# What Python's lexer tells apart, and what the style sheet calls it.
KINDS = {
    "Comment": "c",
    "Literal.String": "s",
    "Literal.Number": "m",
    "Keyword": "k",
    "Operator.Word": "k",
    "Name.Function": "n",
    "Name.Class": "n",
    "Name.Decorator": "n",
}


@dataclass(frozen=True)
class _Block:
    """A piece of what a check says: `prose`, `text` to be shown as it is, or highlighted `code`."""

    kind: str
    text: Markup
    where: str = ""  # of code in a student's file

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return len(self.text.encode()) + len(self.where.encode())


@dataclass(frozen=True)
class _Part:
    """One of `feedback.sections`."""

    title: str
    blocks: tuple[_Block, ...]


@dataclass(frozen=True)
class _Check:
    """A check as the page shows it."""

    anchor: str
    outcome: Outcome
    title: Markup
    hidden: bool
    message: Markup
    hint: Markup
    parts: tuple[_Part, ...]
    remark: str = ""
    open: bool = False

    @property
    def word(self) -> str:
        """How it ended."""
        return OUTCOMES[self.outcome][0]

    @property
    def symbol(self) -> str:
        """How it ended, as a sign."""
        return OUTCOMES[self.outcome][1]

    @property
    def tone(self) -> str:
        """How it ended, as a colour's name."""
        return OUTCOMES[self.outcome][2]

    @property
    def has_body(self) -> bool:
        """Whether there is something to unfold."""
        return bool(self.message or self.hint or self.parts or self.remark)

    @property
    def size(self) -> int:
        """Bytes in the page."""
        blocks = sum(block.size for part in self.parts for block in part.blocks)
        return blocks + len(self.message.encode()) + len(self.hint.encode())


@dataclass(frozen=True)
class _Question:
    """A question as the page shows it."""

    anchor: str
    name: str
    score: str  # empty if withheld
    most: str
    percent: int
    gates: tuple[str, ...]
    note: Markup
    hint: Markup  # of all checks that failed
    others: tuple[_Check, ...]
    passed: tuple[_Check, ...]
    secret: str

    @property
    def points(self) -> str:
        """What it earned, in words."""
        return f"{self.score} of {self.most} points" if self.score else f"withheld (of {self.most})"

    @property
    def state(self) -> str:
        """What the bar looks like."""
        return "withheld" if not self.score else "full" if self.percent == 100 else "part"

    @property
    def first(self) -> _Check | None:
        """The check to begin with."""
        return next((check for check in self.others if check.outcome not in NOT_FAILED), None)

    @property
    def short(self) -> str:
        """How many checks passed."""
        of = len(self.passed) + len(self.others)
        return f"{len(self.passed)} of {of} {'check' if of == 1 else 'checks'}" if of else ""

    @property
    def counts(self) -> str:
        """How the checks ended, in a sentence or two."""
        told = [f"{self.short} passed."] if self.short else []
        for outcome, said in (
            (Outcome.SKIPPED, "skipped, which counts neither way."),
            (Outcome.INTERNAL_ERROR, "not judged, because the autograder itself failed; that is not your fault."),
        ):
            number = sum(check.outcome is outcome for check in self.others)
            told += [f"{number} {'was' if number == 1 else 'were'} {said}"] if number else []
        return " ".join([*told, *([self.secret] if self.secret else [])])


@dataclass(frozen=True)
class _Page:
    """All that the template is given."""

    title: str
    name: str
    score: str  # empty if withheld
    most: str
    withheld: str  # the questions whose score is
    notes: tuple[Markup, ...]
    questions: tuple[_Question, ...]
    next: _Question | None
    facts: tuple[tuple[str, str], ...]


def feedback_page(result: SubmissionResult, title: str) -> str:
    """One submission's page for its student: HTML that is whole by itself.

    Args:
        result: the graded submission.
        title: the homework's.
    """
    secret = secret_counts(result.checks)
    questions = tuple(
        _question(question, number, result.checks, secret.get(question.name))
        for number, question in enumerate(result.questions, 1)
    )
    lost = (
        shown
        for shown, question in zip(questions, result.questions, strict=True)
        if question.score is not None and question.score < question.points
    )
    page = _Page(
        title=safe_line(title, MAX_LINE),
        name=safe_line(result.name, MAX_LINE),
        score="" if result.score is None else points_text(result.score),
        most=points_text(result.max_score),
        withheld=", ".join(question.name for question in questions if not question.score),
        notes=tuple(_prose(safe_line(note, MAX_LINE)) for note in result.notes[:MAX_NOTES]),
        questions=questions,
        next=next(lost, None),
        facts=tuple(_facts(result)),
    )
    return _template().render(page=page)


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("feedback.html")


def _facts(result: SubmissionResult) -> Iterator[tuple[str, str]]:
    """How it was graded: the layers between student code and the grader, the versions, how long it took."""
    mode, layers = result.isolation.get("mode", "unknown"), result.isolation.get("layers") or ["none"]
    yield "isolation", safe_line(str(mode), MAX_LINE)
    yield "layers in force", safe_line(", ".join(map(str, layers)), MAX_LINE)
    for name, version in result.versions.items():
        yield safe_line(name, MAX_LINE), safe_line(str(version), MAX_LINE)
    yield "time", f"{result.seconds:.1f} seconds"


# -- a question --------------------------------------------------------------------------------------------------------


def _question(
    question: QuestionResult, number: int, results: Sequence[CheckResult], secret: tuple[int, int] | None
) -> _Question:
    own = [r for r in results if r.check.question == question.name and r.check.visibility in LISTED]
    checks = [_check(shown, f"q{number}-{count}") for count, shown in enumerate(for_student(own), 1)]
    passed = tuple(check for check in checks if check.outcome is Outcome.PASSED)
    others, hint = _share_hint([check for check in checks if check.outcome is not Outcome.PASSED])
    score, most = question.score or 0.0, question.points
    return _Question(
        anchor=f"q{number}",
        name=safe_line(question.name, MAX_LINE),
        score="" if question.score is None else points_text(question.score),
        most=points_text(most),
        percent=max(0, min(100, math.floor(100 * score / most + 1e-6))) if most > 0 else 0,
        gates=tuple(f"{safe_line(reason, MAX_LINE)}." for reason in question.gate[:MAX_NOTES]),
        note=_prose(safe_text(question.note, MAX_MESSAGE)),
        hint=hint,
        others=tuple(_within_bounds(_first_open(others))),
        passed=tuple(_within_bounds(passed)),
        secret=f"{secret[0]} of {secret[1]} secret {'check' if secret[1] == 1 else 'checks'} passed." if secret else "",
    )


def _share_hint(checks: Sequence[_Check]) -> tuple[Sequence[_Check], Markup]:
    """Take a hint that all failed checks have off them, if there are several; it is the question's then."""
    failed = [check for check in checks if check.outcome is Outcome.FAILED]
    hints = {check.hint for check in failed}
    if len(failed) < 2 or len(hints) > 1 or not failed[0].hint:
        return checks, _prose("")
    return [replace(check, hint=_prose("")) if check in failed else check for check in checks], failed[0].hint


def _first_open(checks: Sequence[_Check]) -> Iterator[_Check]:
    """Unfold the first check that failed: the one to begin with."""
    first = next((check for check in checks if check.outcome not in NOT_FAILED), None)
    for check in checks:
        yield replace(check, open=True) if check is first else check


def _within_bounds(checks: Iterable[_Check]) -> Iterator[_Check]:
    """Leave out what checks say once a question's have said enough; the first always says all."""
    left = MAX_QUESTION
    for number, check in enumerate(checks):
        if number and check.size > left:
            yield replace(check, message=_prose(""), hint=_prose(""), parts=(), remark=LEFT_OUT)
        else:
            left -= check.size
            yield check


# -- a check -----------------------------------------------------------------------------------------------------------


def _check(shown: CheckResult, anchor: str) -> _Check:
    """What is to be seen of a check, of what the student may see."""
    hidden, internal = shown.check.visibility == "hidden", shown.outcome is Outcome.INTERNAL_ERROR
    said = feedback.Feedback(shown.outcome.value) if internal else said_by(shown)
    message = feedback.OPENINGS[shown.outcome.value] if internal else said.message
    check = _Check(
        anchor=anchor,
        outcome=shown.outcome,
        title=_prose(safe_line(shown.check.title, MAX_LINE)),
        hidden=hidden,
        message=_prose(safe_text(message.strip(), MAX_MESSAGE)),
        hint=_prose(safe_text(" ".join(said.hint.split()), MAX_MESSAGE)),
        parts=tuple(_parts(said)),
    )
    if shown.outcome in NOT_FAILED:
        return check
    return replace(check, remark=HIDDEN if hidden else "" if check.has_body else NOTHING)


def _parts(said: feedback.Feedback) -> Iterator[_Part]:
    """What a check says between its message and its hint, in the order of all other places that say it."""
    for title, text in feedback.sections(said):
        if title == feedback.FRAMES:
            blocks = list(_frames(said.frames))
        elif title == feedback.EXAMPLE:
            blocks = [_Block("code", _highlighted(safe_text(text, MAX_PART)))]
        elif title == feedback.OUTPUT:
            blocks = [_Block("text", _plain(safe_text(text, MAX_PART)))]
        else:
            blocks = list(_paragraphs(safe_text(text, MAX_PART)))
        yield _Part(title, tuple(blocks))


def _frames(frames: Sequence[feedback.Step]) -> Iterator[_Block]:
    """The innermost steps of a traceback, each with its line of code."""
    for file, line, function, source in frames[-MAX_FRAMES:]:
        where = feedback.step(safe_line(file, MAX_LINE), line, safe_line(function, MAX_LINE), "")
        code = safe_line(source, MAX_LINE)
        yield _Block("code", _highlighted(code), where) if code else _Block("prose", _plain(where))


def _paragraphs(text: str) -> Iterator[_Block]:
    """Sentences, and between them tables: where columns are set apart by spaces."""
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        is_table = re.search(r"\S  +\S|^ ", paragraph, re.MULTILINE)
        yield _Block("text", _plain(paragraph)) if is_table else _Block("prose", _prose(paragraph))


# -- markup: the only places where text becomes HTML -------------------------------------------------------------------


def _plain(text: str) -> Markup:
    from markupsafe import escape

    return escape(text)


def _prose(text: str) -> Markup:
    """Text in which `names` between backticks are set as code."""
    from markupsafe import Markup

    parts = (
        Markup("<code>{}</code>").format(part) if number % 2 else _plain(part)
        for number, part in enumerate(re.split(r"`([^`\n]{1,200})`", text))
    )
    return Markup("").join(parts)


def _highlighted(code: str) -> Markup:
    """Python code, with the kinds of words that the style sheet knows told apart."""
    from markupsafe import Markup
    from pygments.lexers.python import PythonLexer

    pieces: list[Markup] = []
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(code):
        name = str(kind).removeprefix("Token.")
        known = next((css for prefix, css in KINDS.items() if name.startswith(prefix)), "")
        if not known or not text.strip():
            pieces.append(_plain(text))
        else:
            pieces.append(Markup('<span class="{}">{}</span>').format(known, text))
    return Markup("").join(pieces)
