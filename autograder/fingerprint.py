"""What a verdict depends on, as digests: where the digest of a check is what it was, its verdict still holds.

What cannot be told apart counts for all checks: a verdict that no longer holds must never be kept.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import answers, bundles, diagnosis
from .config import Homework, Question, Waiver
from .results import CheckInfo
from .submissions import Submission

_NO_VERDICT = ("points", "margins")  # of a question's configuration: what changes its score only, or nothing


@dataclass(frozen=True)
class Fingerprint:
    """What all verdicts of a run depend on, besides the submissions.

    Attributes:
        engine: digest of the engine's modules and templates.
        homework: digest of all files that grading takes.
        checks: by check, the digest of what its verdict depends on: parts of both, versions and isolation.
    """

    engine: str
    homework: str
    checks: Mapping[str, str]


def digest(*parts: bytes | str) -> str:
    """SHA-256 of some parts, in hexadecimal digits; where one ends and the next begins counts."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "little"))
        found.update(data)
    return found.hexdigest()


def of_files(files: Mapping[str, bytes]) -> str:
    """Digest of named contents, in any order."""
    return digest(*(part for name in sorted(files) for part in (name, files[name])))


def of_submission(submission: Submission, waived: Iterable[Waiver] = ()) -> str:
    """Digest of what is graded: files, what is wrong with others, and the banned names that may be used; no name.

    Args:
        submission: what was handed in.
        waived: all waivers; those of other submissions do not count.
    """
    own = sorted({(w.question, w.name) for w in waived if w.submission in ("", submission.name)})
    return digest(of_files(submission.files), _text(submission.problems), _text(submission.notes), _text(own))


@cache
def engine() -> str:
    """Digest of the engine that is running: of its modules and templates, without a homework's checks."""
    return of_files(bundles.files_below(Path(__file__).parent, [bundles.HOMEWORK_CHECKS]))


def of_homework(
    homework: Homework,
    checks: Sequence[CheckInfo],
    versions: Mapping[str, str],
    isolation: Mapping[str, Any],
    limits: Mapping[str, float] | None = None,
) -> Fingerprint:
    """What the verdicts of these checks depend on.

    Args:
        homework: the homework.
        checks: as collected.
        versions: of Python and of packages.
        isolation: as results report it.
        limits: replaces some of the homework's.
    """
    files = bundles.homework_files(homework)
    parts = _Parts(homework, files, {check.id.partition("::")[0] for check in checks})
    common = digest(
        engine(),
        _text(dict(versions)),
        _text([isolation["mode"], sorted(isolation["layers"])]),
        _text(homework.model_dump(mode="json", include={"limits", "files", "bans", "salt", "data"})),
        _text(dict(limits or {})),
        of_files({name: content for name, content in files.items() if name not in parts.owners}),
    )
    found = {check.id: digest(common, parts.of(check)) for check in checks}
    return Fingerprint(engine(), of_files(files), found)


class _Parts:
    """Which of a homework's files count for some questions, or some checks, only.

    A question's solution counts where it is the reference or is imported; its probe, and what is recorded of mistakes,
    for its hints. A file of checks counts for its own, unless others import it. Texts and stubs count for nothing.
    """

    def __init__(self, homework: Homework, files: Mapping[str, bytes], checks: Iterable[str]):
        self.homework, self.files = homework, files
        self.standing = _standing(homework)
        self.known = diagnosis.recorded(homework)
        self.owners: dict[str, set[str]] = {}  # by file, the questions or files of checks that it counts for
        imported = {name for path, content in files.items() if path.endswith(".py") for name in _imported(content)}
        for path in files:
            folder, _, name = path.rpartition("/")
            stem = name.removesuffix(".py")
            if name in homework.by_file and folder == homework.solutions:
                self.owners[path] = {question for question, on in self.standing.items() if stem in on}
            elif name in homework.by_file and folder == f"{homework.hidden_checks}/probes":
                self.owners[path] = {stem}
            elif path in checks and stem not in imported:
                self.owners[path] = {path}
            elif name.endswith(".md") or (name in homework.by_file and folder == homework.assignment):
                self.owners[path] = set()
            elif path in ("pyproject.toml", homework.waivers, f"{homework.solutions}/{diagnosis.RECORD}"):
                self.owners[path] = set()  # what counts of it is taken from what was read

    def of(self, check: CheckInfo) -> str:
        """Digest of what counts for a check, and not for all."""
        question = self.homework.question(check.question)
        own = {check.question, check.id.partition("::")[0]}
        files = {path: self.files[path] for path, owners in self.owners.items() if owners & own}
        config = question.model_dump(mode="json", exclude=set(_NO_VERDICT))
        return digest(check.id, check.kind, of_files(files), _text(config), repr(self.known.get(question.name)))


def _standing(homework: Homework) -> dict[str, set[str]]:
    """For each question, those whose solutions its own stands on, itself included."""
    imports = answers.imports(homework)

    def on(question: Question) -> set[str]:
        direct = {question.name, *question.needs}
        return direct.union(*(imports.get(name, set()) for name in direct))

    return {question.name: on(question) for question in homework.questions}


def _imported(source: bytes) -> set[str]:
    """The last parts of the names that a file imports, and of modules that it imports from."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return set()
    found = {alias.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    found |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.rpartition(".")[2] for name in found}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)
