"""What lies beside the solution: right answers written otherwise, wrong ones with a hint, and what is known of them.

`variants/` and `mutants/` hold the answers, `caught.json` which check caught which mutants when `validate --record` was
run last, `equivalent.toml` the changes to the solution that make no difference.
"""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .config import Homework
from .errors import ConfigError

CAUGHT, EQUIVALENT = "caught.json", "equivalent.toml"


def solution_files(homework: Homework) -> dict[str, bytes]:
    """The solution, as it would be handed in."""
    return {file: (homework.path(homework.solutions) / file).read_bytes() for file in homework.by_file}


@dataclass(frozen=True)
class Answer:
    """A mutant or a variant: some files of a submission, written otherwise.

    Attributes:
        question: what it is an answer to.
        name: `<question>/<name>`.
        files: all that is handed in.
        main: the file that tells what is special about it.
    """

    question: str
    name: str
    files: Mapping[str, bytes]
    main: str

    @property
    def hint(self) -> str:
        """The docstring: of a mutant, the hint that a student with this mistake deserves."""
        return ast.get_docstring(ast.parse(self.files[self.main])) or ""


def answers(homework: Homework, kind: str) -> list[Answer]:
    """The homework's `mutants` or `variants`: `<kind>/<question>/<name>.py`, or a folder of files of that name.

    For a question without a file, a folder's files are laid over the solution's.
    """
    found = []
    for question in homework.questions:
        others = {} if question.file else solution_files(homework)
        for path in sorted((homework.path(homework.solutions) / kind / question.name).glob("*")):
            if path.suffix == ".py":
                own = {question.file or path.name: path.read_bytes()}
            else:
                own = {file.name: file.read_bytes() for file in sorted(path.glob("*.py"))}
            if own:
                main = question.file if question.file in own else min(own)
                found.append(Answer(question.name, f"{question.name}/{path.stem}", {**others, **own}, main))
    return found


def imports(homework: Homework) -> dict[str, set[str]]:
    """For each question with a file, the others whose files its solution imports, directly or not."""
    direct: dict[str, set[str]] = {}
    for question in homework.by_file.values():
        source = (homework.path(homework.solutions) / str(question.file)).read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(source)))
        named = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        named |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        direct[question.name] = {name for name in named if f"{name}.py" in homework.by_file}
    for _ in direct:
        for names in direct.values():
            names |= {further for name in names for further in direct[name]}
    return direct


def importers(homework: Homework) -> dict[str, list[str]]:
    """For each question with a file, the others whose solution imports it, directly or not."""
    imported = imports(homework)
    return {name: [other for other in imported if name in imported[other]] for name in imported}


def together(found: Sequence[Answer]) -> list[list[Answer]]:
    """Lists of answers, each to another question, that can be handed in together: questions are judged alone."""
    lists: list[list[Answer]] = []
    for answer in sorted(found, key=lambda answer: len(answer.files)):
        for others in lists:
            if len(answer.files) == 1 and len(others[0].files) == 1 and answer.question not in questions_of(others):
                others.append(answer)
                break
        else:
            lists.append([answer])
    return lists


def questions_of(found: Iterable[Answer]) -> list[str]:
    """The question of each answer."""
    return [answer.question for answer in found]


def recorded(homework: Homework) -> dict[str, list[str]]:
    """By check, the mutants that it caught when `validate --record` was run last; nothing before that.

    Raises:
        ConfigError: the file is not what was written.
    """
    path = homework.path(homework.solutions) / CAUGHT
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {str(check): [str(name) for name in names] for check, names in record.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; run `autograder validate --record`") from error


def record(homework: Homework, caught: Mapping[str, Sequence[str]]) -> Path:
    """Write down which check catches which mutants; told by mutant, the checks that it did not pass."""
    catches: dict[str, list[str]] = {}
    for mutant, checks in sorted(caught.items()):
        for check in checks:
            catches.setdefault(check, []).append(mutant)
    rows = [f"{json.dumps(check)}: {json.dumps(names)}" for check, names in sorted(catches.items())]
    path = homework.path(homework.solutions) / CAUGHT
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    return path


def equivalents(homework: Homework) -> dict[tuple[str, str], str]:
    """The recorded changes that make no difference: by file and change, the reason.

    Raises:
        ConfigError: the file is not as it must be.
    """
    path = homework.path(homework.solutions) / EQUIVALENT
    if not path.is_file():
        return {}
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["equivalent"]
        found = {(row["file"], row["change"]): row["reason"] for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: each [[equivalent]] has a file, a change and a reason: {error}") from error
    empty = [change for (_, change), reason in found.items() if not reason.strip()]
    if empty:
        raise ConfigError(f"{path}: no reason is given for {empty[0]!r}")
    return found
