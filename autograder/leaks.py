"""Finds what students must not see in what they get: statements are compared as syntax trees, whatever their names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from .config import Homework
from .stubs import make_stub

LARGE = 12  # nodes of a statement's tree: two authors would not write the same
SMALL = 6  # a statement of the solution, anywhere but in public tests, which have to say what is right


def leaks(homework: Homework, handout: Path) -> tuple[int, list[str]]:
    """Statements of the solution, of mutants and variants, and of hidden checks that a handout shows.

    Args:
        homework: the homework.
        handout: the folder that students get.

    Returns:
        how many secret statements were looked for, and a line for each that was found.
    """
    given = {shape for file, question in homework.by_file.items() for shape in _given(homework, file, question.name)}
    large, small = _secrets(homework, _secret_files(homework), LARGE), _secrets(homework, _solution(homework), SMALL)
    found = []
    for path in sorted(handout.rglob("*")):
        secret = large if "tests" in path.relative_to(handout).parts else {**large, **small}
        if path.suffix in (".py", ".md", ".txt", ".toml"):
            for text in _programs(path):
                found += [
                    f"{path.relative_to(handout)}, line {line}, shows {secret[shape]}"
                    for shape, line, _ in statements(text)
                    if shape in secret and shape not in given
                ]
    return len({**large, **small}.keys() - given), found


def _secrets(homework: Homework, files: list[Path], smallest: int) -> dict[str, str]:
    """By shape, where the statements of some files are."""
    found: dict[str, str] = {}
    for path in files:
        for shape, line, size in statements(path.read_text(encoding="utf-8")):
            if size >= smallest:
                found.setdefault(shape, f"{path.relative_to(homework.root)}, line {line}")
    return found


def _solution(homework: Homework) -> list[Path]:
    return [homework.path(homework.solutions) / file for file in homework.by_file]


def _given(homework: Homework, file: str, question: str) -> Iterator[str]:
    """What a stub shows on purpose."""
    source = (homework.path(homework.solutions) / file).read_text(encoding="utf-8")
    yield from (shape for shape, _, _ in statements(make_stub(source, question)))


def _secret_files(homework: Homework) -> list[Path]:
    solutions, checks = homework.path(homework.solutions), homework.path(homework.hidden_checks)
    support = checks / "support"  # is shown to whom it runs beside
    hidden = [path for path in sorted(checks.rglob("*.py")) if support not in path.parents]
    return [*_solution(homework), *sorted(solutions.glob("*/*/*.py")), *hidden]


def _programs(path: Path) -> list[str]:
    """The Python in a file: all of it, or what stands in a document's code blocks."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [text] if path.suffix == ".py" else re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def statements(source: str) -> Iterator[tuple[str, int, int]]:
    """The simple statements of a program but imports: each one's shape, its line, and the size of its tree.

    The shape is the tree without positions, names numbered in the order of their appearance: renaming hides nothing.
    Names of attributes, called functions and arguments by keyword stay.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.stmt)
            and not isinstance(node, ast.Import | ast.ImportFrom)
            and not hasattr(node, "body")
        ):
            size = sum(1 for inner in ast.walk(node) if not isinstance(inner, ast.expr_context))
            yield _shape(node), node.lineno, size


def _shape(statement: ast.stmt) -> str:
    numbers: dict[str, int] = {}
    called = {id(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    dumped = ast.dump(statement, annotate_fields=False)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and id(node) not in called:
            numbers.setdefault(node.id, len(numbers))
    for name, number in numbers.items():
        dumped = dumped.replace(f"Name('{name}',", f"Name({number},")
    return dumped
