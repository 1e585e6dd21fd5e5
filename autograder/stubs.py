"""Turns a solution into the stub that students get, so that the two cannot drift apart.

What students write stands in the solution between two comments, each alone on its line::

    # BEGIN SOLUTION
    ...
    # END SOLUTION

In a function, such a region becomes one line that raises `NotImplementedError` naming the question and the
function, or the question and the text of `# BEGIN SOLUTION prompt: TEXT`. Elsewhere (an import, a helper) it
vanishes, and a prompt stays as a comment. Everything outside of the regions is kept to the letter.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

from .config import Homework
from .errors import StubError

# A misspelt marker would leak the solution, so whatever looks like one must be one.
_LIKE_A_MARKER = re.compile(r"#+\s*(BEGIN|END)\W*SOLUTION", re.IGNORECASE)
_BEGIN = re.compile(r"# BEGIN SOLUTION(?: prompt: (?P<prompt>\S.*))?")
_END = re.compile(r"# END SOLUTION")
# Say why a check failed, on students' machines as in grading; they import nothing but each other, torch and numpy.
EXPLAINING = ("comparison", "places", "example", "jacobians", "explanation", "feedback")
EXPLAIN = "explain"  # the package beside the public checks that has copies of them
_EXPLAIN_INIT = '"""Says why a check failed, in the same words as grading does."""\n'


@dataclass(frozen=True)
class _Region:
    """The lines of one region, markers included, counted from 1."""

    begin: int
    end: int
    prompt: str | None


def make_stub(source: str, question: str) -> str:
    """Return the stub of a solution's source; a source without markers comes back as it is.

    Raises:
        StubError: the source does not parse, or its markers do not enclose whole statements.
    """
    try:
        wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    except cst.ParserSyntaxError as error:
        raise StubError(f"{question}: line {error.raw_line}: the solution is not valid Python") from error
    lines = list(io.StringIO(source, newline=""))  # splitlines() also splits at form feeds
    for region in reversed(_find_regions(wrapper, lines, question)):
        _check_statements(lines, region, question)
        scope = _scope_of(wrapper, region.begin)
        replacement = _replacement(lines[region.begin - 1], region, question, scope)
        begin, end = region.begin - 1, region.end
        if not replacement and not "".join(lines[end : end + 1]).strip():
            while begin and not lines[begin - 1].strip():
                begin -= 1  # else the empty lines before the region would add to those after it
        lines[begin:end] = replacement
    stub = "".join(lines)
    if _parse(stub) is None:
        raise StubError(f"{question}: without its regions the solution is not valid Python: "
                        "let them enclose whole statements, and leave a docstring in each class")  # fmt: skip
    return stub


def write_stubs(solution_dir: Path, assignment_dir: Path, questions: Sequence[str], check: bool = False) -> list[Path]:
    """Write the stub of each question's solution; return the files that changed.

    Args:
        solution_dir: holds `<question>.py` for each question.
        assignment_dir: where the stubs go, under the same names.
        questions: names of the questions that have a file.
        check: write nothing, only return the files that would change.
    """
    changed = []
    for question in questions:
        solution, target = solution_dir / f"{question}.py", assignment_dir / f"{question}.py"
        if not solution.is_file():
            raise StubError(f"{question}: there is no solution at {solution}")
        source = solution.read_bytes().decode()  # bytes, not text: line ends stay as they are
        stub = make_stub(source, question).encode()
        if target.is_file() and target.read_bytes() == stub:
            continue
        changed.append(target)
        if not check:
            target.write_bytes(stub)
    return changed


def _find_regions(wrapper: MetadataWrapper, lines: Sequence[str], question: str) -> list[_Region]:
    """Return the regions in order; each marker is alone on its line, and beginnings and ends take turns."""
    positions = wrapper.resolve(PositionProvider)
    found = m.findall(wrapper, m.Comment())
    comments = sorted((positions[c].start.line, c.value) for c in found if isinstance(c, cst.Comment))
    regions = []
    opened: tuple[int, str | None] | None = None
    for line, text in comments:
        if not _LIKE_A_MARKER.match(text):
            continue
        where = f"{question}: line {line}"
        begin = _BEGIN.fullmatch(text)
        if not begin and not _END.fullmatch(text):
            raise StubError(f"{where}: `{text}` is no marker: they are `# BEGIN SOLUTION`, "
                            "`# BEGIN SOLUTION prompt: TEXT` and `# END SOLUTION`")  # fmt: skip
        if lines[line - 1].strip() != text:
            raise StubError(f"{where}: a marker must be alone on its line")
        if begin and opened:
            raise StubError(f"{where}: a region begins inside the one that began in line {opened[0]}")
        if begin:
            opened = line, begin["prompt"]
        elif opened:
            regions.append(_Region(opened[0], line, opened[1]))
            opened = None
        else:
            raise StubError(f"{where}: `# END SOLUTION` without `# BEGIN SOLUTION`")
    if opened:
        raise StubError(f"{question}: line {opened[0]}: `# BEGIN SOLUTION` without `# END SOLUTION`")
    return regions


def _check_statements(lines: Sequence[str], region: _Region, question: str) -> None:
    """Raise unless the region holds whole statements of one block."""
    text = "".join(lines[region.begin : region.end - 1])
    indented = lines[region.begin - 1][0].isspace()
    module = _parse(f"if True:\n{text}" if indented else text)
    if module is None or not module.body or (indented and len(module.body) > 1):
        where = f"{question}: lines {region.begin} to {region.end}"
        raise StubError(f"{where}: a region must hold whole statements, at least one, of one block")


def _parse(source: str) -> cst.Module | None:
    try:
        return cst.parse_module(source)
    except cst.ParserSyntaxError:
        return None


def _scope_of(wrapper: MetadataWrapper, line: int) -> list[cst.FunctionDef | cst.ClassDef]:
    """Return the functions and classes around a line, outermost first."""
    positions = wrapper.resolve(PositionProvider)
    definitions = m.findall(wrapper, m.FunctionDef() | m.ClassDef())
    around = [d for d in definitions if positions[d].start.line < line <= positions[d].end.line]
    return sorted(around, key=lambda d: positions[d].start.line)  # type: ignore[arg-type, return-value]


def _replacement(
    marker: str, region: _Region, question: str, scope: Sequence[cst.FunctionDef | cst.ClassDef]
) -> list[str]:
    """Return the line that stands for a region; none for one outside of functions without a prompt."""
    indent, line_end = marker[: len(marker) - len(marker.lstrip())], marker[len(marker.rstrip()) :]
    if any(isinstance(definition, cst.FunctionDef) for definition in scope):
        task = region.prompt or f"write {'.'.join(definition.name.value for definition in scope)}"
        text = json.dumps(f"{question}: {task}", ensure_ascii=False)
        return [f"{indent}raise NotImplementedError({text}){line_end}"]
    return [f"{indent}# {region.prompt}{line_end}"] if region.prompt else []


def write_assignment(homework: Homework, check: bool = False) -> list[Path]:
    """Write everything in the assignment that is generated; return the files that changed.

    That is the stubs, the list of questions, and copies of the modules that say why a check failed: these in a folder
    `explain` beside the public checks, if it is there, for a `conftest.py` that uses them.

    Args:
        homework: the homework.
        check: write nothing, only return the files that would change.
    """
    folder = homework.path(homework.assignment)
    names = [question.name for question in homework.by_file.values()]
    changed = write_stubs(homework.path(homework.solutions), folder, names, check)
    for target, text in [(folder / "questions.toml", _questions_toml(homework)), *_copies(homework)]:
        content = text.encode()
        if target.is_file() and target.read_bytes() == content:
            continue
        changed.append(target)
        if not check:
            target.write_bytes(content)
    return changed


def _copies(homework: Homework) -> list[tuple[Path, str]]:
    """The package that explains failures, each file with its text; none where the homework has no folder for it."""
    package = homework.path(homework.public_checks) / EXPLAIN
    if not package.is_dir():
        return []
    texts = {"__init__": ("stubs", _EXPLAIN_INIT)}
    for name in EXPLAINING:
        texts[name] = (name, (Path(__file__).parent / f"{name}.py").read_bytes().decode())
    return [
        (package / f"{name}.py", f"# Generated from autograder/{source}.py; do not edit.\n{text}")
        for name, (source, text) in texts.items()
    ]


def _questions_toml(homework: Homework) -> str:
    parts = ["# Generated from [tool.autograder] in pyproject.toml; do not edit."]
    for question in homework.questions:
        lines = [f"[questions.{question.name}]"]
        if question.file:
            lines.append(f'file = "{question.file}"')
            lines.append(f"names = {json.dumps(list(question.provides))}")
        parts.append("\n".join([*lines, f"points = {question.points:g}"]))
    return parts[0] + "\n" + "\n\n".join(parts[1:]) + "\n"
