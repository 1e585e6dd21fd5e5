"""What one check has to say to a student, as text: in the handout's tests, on the grader's terminal, on a platform.

The handout carries a copy of this module, and of `comparison` and `example`, which find out what there is to say; none
of the three imports anything else of ours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

OPENINGS = {
    "PASSED": "",
    "FAILED": "",
    "SKIPPED": "Skipped",
    "TIMED_OUT": "Out of time",
    "OUT_OF_MEMORY": "Out of memory",
    "CRASHED": "The Python process ended",
    "INTERNAL_ERROR": "The autograder itself failed here. This is not your fault; the score is withheld.",
}
EXAMPLE = "To see it for yourself, put this into a file beside yours and run it:"
COMPARISON = "What came, and what was expected:"
JACOBIANS = "What backward says, beside finite differences of forward:"
FRAMES = "In your files:"
OUTPUT = "Your code printed:"
MAX_OUTPUT = 2_000  # characters
Step = tuple[str, int, str, str]  # file, line, function, source


@dataclass(frozen=True)
class Feedback:
    """The parts of what a check says; each is empty where there is nothing to say.

    Attributes:
        outcome: how the check ended, as `results.Outcome` has it.
        message: what is wrong, in a sentence or a few.
        comparison: what came and what was expected: shapes, dtypes, values.
        jacobians: two Jacobians side by side, where a gradient is wrong.
        frames: the steps of a traceback that are in the student's files: file, line, function, source.
        example: Python code that shows the failure with the smallest input that was found.
        output: what the student's code printed.
        hint: one thing to try.
    """

    outcome: str
    message: str = ""
    comparison: str = ""
    jacobians: str = ""
    frames: Sequence[Step] = ()
    example: str = ""
    output: str = ""
    hint: str = ""


def text(said: Feedback) -> str:
    """All parts, in the order in which a student needs them: what is wrong, where, how to see it, what to try."""
    opening = OPENINGS[said.outcome]
    if said.outcome == "INTERNAL_ERROR":
        return opening
    blocks = [f"{opening}: {said.message}" if opening and said.message else opening or said.message]
    blocks += [titled(title, part) for title, part in sections(said)]
    if said.hint:
        blocks.append("\n".join(textwrap.wrap(f"Hint: {' '.join(said.hint.split())}", 88)))
    return "\n\n".join(block for block in blocks if block)


def sections(said: Feedback) -> list[tuple[str, str]]:
    """The parts between message and hint that there are, each with its title."""
    output = said.output.strip("\n")
    if len(output) > MAX_OUTPUT:
        output = f"{output[:MAX_OUTPUT]}\n[{len(output) - MAX_OUTPUT} more characters]"
    parts = [
        (COMPARISON, said.comparison),
        (JACOBIANS, said.jacobians),
        (FRAMES, "\n".join(step(*frame) for frame in said.frames)),
        (EXAMPLE, said.example),
        (OUTPUT, output),
    ]
    return [(title, part) for title, part in parts if part.strip()]


def step(file: str, line: int, function: str, source: str) -> str:
    """One step of a traceback."""
    where = f"{file}:{line}{f' in {function}' if function else ''}"
    return f"{where}\n    {source.strip()}" if source.strip() else where


def titled(title: str, part: str) -> str:
    """A part below its title."""
    return f"{title}\n{textwrap.indent(part, '    ', lambda line: bool(line.strip()))}"
