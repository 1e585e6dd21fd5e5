# Generated from autograder/feedback.py; do not edit.
"""What one check has to say to a student, as text: in the handout's tests, on the grader's terminal, on a platform.

The handout carries a copy of this module, and of those that find out what there is to say (`stubs.EXPLAINING`); they
import nothing else of ours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

OPENINGS = {
    "PASSED": "",
    "FAILED": "",
    "SKIPPED": "Skipped",
    "TIMED_OUT": "Timed out",
    "OUT_OF_MEMORY": "Out of memory",
    "CRASHED": "Crashed",
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
    if said.outcome == "INTERNAL_ERROR":
        return OPENINGS[said.outcome]
    blocks = [first_words(said)]
    blocks += [titled(title, part) for title, part in sections(said)]
    if said.hint:
        blocks.append("\n".join(textwrap.wrap(f"Hint: {' '.join(said.hint.split())}", 88)))
    return "\n\n".join(block for block in blocks if block)


def first_words(said: Feedback) -> str:
    """How the check ended, if that is not plain from its message, and the message."""
    opening = OPENINGS[said.outcome]
    if opening and said.message and said.outcome != "INTERNAL_ERROR":
        return f"{opening}: {said.message}"
    return opening or said.message or ("Failed." if said.outcome == "FAILED" else "")


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


def html(said: Feedback, safe: Callable[[str], str]) -> str:
    """The same as `text` in a few plain tags, everything escaped.

    Args:
        said: the parts.
        safe: makes a text printable, and cuts it.
    """
    first = first_words(said)
    blocks = [f"<p>{escape(safe(first))}</p>"] if first else []
    if said.outcome != "INTERNAL_ERROR":
        for title, part in sections(said):
            blocks.append(f"<p><strong>{escape(title)}</strong></p>\n<pre>{escape(safe(part))}</pre>")
        if said.hint:
            blocks.append(f"<p><strong>Hint:</strong> {escape(safe(said.hint))}</p>")
    return "\n".join(blocks)


def step(file: str, line: int, function: str, source: str) -> str:
    """One step of a traceback; line 0 where only the file is told."""
    where = f"{file}{f':{line}' if line else ''}{f' in {function}' if function else ''}"
    return f"{where}\n    {source.strip()}" if source.strip() else where


def titled(title: str, part: str) -> str:
    """A part below its title."""
    return f"{title}\n{textwrap.indent(part, '    ', lambda line: bool(line.strip()))}"
