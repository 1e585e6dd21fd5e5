"""Turns outcomes into points. Pure, and small enough to be held in the head at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .config import Homework, Question
from .results import CheckResult, Outcome, QuestionResult


def score(
    homework: Homework, results: Sequence[CheckResult], gates: Mapping[str, tuple[str, ...]]
) -> tuple[QuestionResult, ...]:
    """Score every question of the homework, in its order.

    A question's score is its points times the fraction of its check points that were earned. Only `PASSED`
    earns; `SKIPPED` checks count neither way. A closed gate makes it 0 whatever its checks say. It is
    withheld (None) when one of its checks ended in `INTERNAL_ERROR`, or when none counts.

    Args:
        homework: the questions and their points.
        results: the checks that ran.
        gates: by question, why it is set to 0; a question that is not there, or has no reason, is not gated.
    """
    scores = {question.name: _score(question, results, gates.get(question.name, ())) for question in homework.questions}
    lost = {question.name for question in homework.questions if _lost(scores[question.name], question.points)}
    return tuple(
        QuestionResult(
            name=question.name,
            points=question.points,
            score=scores[question.name],
            gate=tuple(gates.get(question.name, ())),
            note=_note(question, lost),
        )
        for question in homework.questions
    )


def _score(question: Question, results: Sequence[CheckResult], gate: Sequence[str]) -> float | None:
    if gate:
        return 0.0
    own = [result for result in results if result.check.question == question.name]
    counted = [result for result in own if result.outcome is not Outcome.SKIPPED]
    total = sum(result.check.points for result in counted)
    if total <= 0 or any(result.outcome is Outcome.INTERNAL_ERROR for result in counted):
        return None
    earned = sum(result.check.points for result in counted if result.outcome is Outcome.PASSED)
    return round(question.points * earned / total, 4)


def _lost(score: float | None, points: float) -> bool:
    return score is not None and score < points


def _note(question: Question, lost: set[str]) -> str:
    """What a student should mend first, when a question that runs on other answers lost points with them."""
    needed = [f"`{name}`" for name in question.needs if name in lost]
    if question.name not in lost or not needed:
        return ""
    *most, last = needed
    names, them = (f"{', '.join(most)} and {last}", "them") if most else (last, "it")
    return f"`{question.name}` runs on your own parts; {names} lost points: mend {them} first."
