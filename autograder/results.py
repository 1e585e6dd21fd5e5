"""What grading produces: data only, so that it can be stored, sent, scored and shown by others."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Outcome(enum.StrEnum):
    """How one check ended. Only PASSED earns points; INTERNAL_ERROR withholds the score."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    CRASHED = "CRASHED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(frozen=True)
class Frame:
    """One line of a traceback that lies in a student's file."""

    file: str
    line: int
    function: str
    source: str


@dataclass(frozen=True)
class CheckInfo:
    """A check as collected: what it is called and what it is worth, before anything ran."""

    id: str  # pytest's node id, relative to the homework's root
    question: str
    title: str
    points: float
    visibility: str  # public, hidden or secret
    kind: str = "value"  # or cooperative: relies on what the worker says of itself

    @property
    def name(self) -> str:
        """The function's name, with its parameters."""
        return self.id.rpartition("::")[2]


@dataclass(frozen=True)
class CheckResult:
    """A check's verdict, with what there is to say about it."""

    check: CheckInfo
    outcome: Outcome
    message: str = ""
    frames: tuple[Frame, ...] = ()
    output: str = ""  # what student code printed, cut
    seconds: float = 0.0
    calls: int = 0  # calls that crossed to the worker
    measured: dict[str, float] = field(default_factory=dict)  # calibrated quantities, by name
    comparison: str = ""  # what came and what was expected
    jacobians: str = ""  # backward beside finite differences
    example: str = ""  # Python code that shows the failure
    hint: str = ""


@dataclass(frozen=True)
class QuestionResult:
    """A question's score: `points` times the fraction of its check points earned, or 0 behind a closed gate."""

    name: str
    points: float
    score: float | None  # None: withheld, because the grader failed
    gate: tuple[str, ...] = ()  # why the question is set to 0: the banned names, with file and line
    note: str = ""


@dataclass(frozen=True)
class SubmissionResult:
    """One graded submission."""

    name: str
    questions: tuple[QuestionResult, ...]
    checks: tuple[CheckResult, ...]
    isolation: dict[str, Any] = field(default_factory=dict)  # mode, and the layers that were in force
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what intake had to say about the files
    seconds: float = 0.0

    @property
    def score(self) -> float | None:
        """The sum over questions, or None while any is withheld."""
        scores = [question.score for question in self.questions]
        return None if None in scores else round(sum(s for s in scores if s is not None), 4)

    @property
    def max_score(self) -> float:
        """The sum of the questions' points."""
        return sum(question.points for question in self.questions)

    def outcomes(self) -> dict[str, Outcome]:
        """Each check's outcome by its id."""
        return {result.check.id: result.outcome for result in self.checks}

    def counts(self) -> dict[str, int]:
        """How many checks ended how, by outcome; without those that none ended with."""
        found = collections.Counter(result.outcome.value for result in self.checks)
        return {outcome.value: found[outcome.value] for outcome in Outcome if found[outcome.value]}

    def question(self, name: str) -> QuestionResult:
        """The question of this name.

        Raises:
            KeyError: there is none.
        """
        for question in self.questions:
            if question.name == name:
                return question
        raise KeyError(name)


@dataclass(frozen=True)
class Summary:
    """What a class's table shows of a submission.

    Attributes:
        name: the submission's.
        questions: their scores.
        counts: how many checks ended how, by outcome.
        broken: of checks that ended in INTERNAL_ERROR, why, a line each.
        graded: whether anything of it was run now.
    """

    name: str
    questions: tuple[QuestionResult, ...]
    counts: Mapping[str, int]
    broken: tuple[str, ...]
    graded: bool
    score: float | None
    max_score: float
    seconds: float


def summarise(result: SubmissionResult, *, graded: bool = True) -> Summary:
    """What a class's table shows of a result."""
    broken = tuple(
        f"{check.check.id}: {check.message}" for check in result.checks if check.outcome is Outcome.INTERNAL_ERROR
    )
    return Summary(
        result.name,
        result.questions,
        result.counts(),
        broken,
        graded,
        result.score,
        result.max_score,
        result.seconds,
    )


def to_json(result: Any) -> Any:
    """Turn a result dataclass into plain JSON values."""
    return dataclasses.asdict(result)


def check_result_from_json(data: dict[str, Any]) -> CheckResult:
    """Read back what `to_json` made of a CheckResult."""
    return CheckResult(
        **{
            **data,
            "check": CheckInfo(**data["check"]),
            "outcome": Outcome(data["outcome"]),
            "frames": tuple(Frame(**frame) for frame in data["frames"]),
        }
    )


def submission_result_from_json(data: dict[str, Any]) -> SubmissionResult:
    """Read back what `to_json` made of a SubmissionResult."""
    questions = [QuestionResult(**{**question, "gate": tuple(question["gate"])}) for question in data["questions"]]
    checks = [check_result_from_json(check) for check in data["checks"]]
    return SubmissionResult(
        **{**data, "questions": tuple(questions), "checks": tuple(checks), "notes": tuple(data["notes"])}
    )
