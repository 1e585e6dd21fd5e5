"""The code a check runs against: which module texts a worker gets for a question, and what became of each file.

Questions are judged alone. What a question's file imports from another question is the student's own module with
support code laid over the contract's names, or support code alone where that module does not load. A question that
`needs` others runs on the student's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .bans import Facts, parse_facts, violations
from .blame import Verdict, judge
from .config import Homework, Question
from .errors import ConfigError, RemoteError, WorkerCrashed, WorkerLost, ZygoteGone
from .results import Frame, Outcome
from .sandbox import Launcher
from .subject import Session


@dataclass(frozen=True)
class Code:
    """One submission's texts by file name, with what is wrong with a file, if anything; or the solution's."""

    homework: Homework
    files: Mapping[str, str]
    problems: Mapping[str, Verdict] = field(default_factory=dict)
    alone: bool = True  # judge questions alone; the solution needs no support code

    def modules(self, question: Question) -> dict[str, dict[str, Any]]:
        """The modules that a worker gets when `question` is judged; see `worker.Sources`."""
        own = {question.name, *question.needs}
        modules = {}
        for other in self.homework.questions:
            if other.file is None:
                continue
            source: str | None = self.files.get(other.file)
            support = None
            if self.alone and other.name not in own:
                support = self._support(other)
                source = None if other.file in self.problems else source
            if source is not None or support is not None:
                modules[other.name] = self._entry(other.file, source, support, other.provides)
        for file, source in self.files.items():
            if file not in self.homework.by_file:
                modules[file.removesuffix(".py")] = self._entry(file, source, None, ())
        return modules

    def problem(self, question: Question) -> Verdict | None:
        """Why no check of a question can be run, if a file that it stands on is missing or does not load."""
        for name in (question.name, *question.needs):
            file = self.homework.question(name).file
            if file is not None and file in self.problems:
                return self.problems[file]
        return None

    def frames(self, verdict: Verdict) -> tuple[Frame, ...]:
        """A verdict's frames, as far as they are lines of this code: what a worker says of the text is not used."""
        found = []
        for frame in verdict.frames:
            lines = self.files.get(frame.file, "").splitlines()
            if 0 < frame.line <= len(lines):
                found.append(replace(frame, source=lines[frame.line - 1].strip()[:300]))
        return tuple(found)

    def _support(self, question: Question) -> str | None:
        path = self.homework.path(self.homework.hidden_checks) / "support" / str(question.file)
        return path.read_text(encoding="utf-8") if path.is_file() else None

    @staticmethod
    def _entry(file: str, source: str | None, support: str | None, names: tuple[str, ...]) -> dict[str, Any]:
        return {"file": file, "source": source, "support": support, "names": list(names)}


def solution(homework: Homework) -> Code:
    """The reference solution's texts.

    Raises:
        ConfigError: a file of it is missing.
    """
    files = {}
    for file in homework.by_file:
        path = homework.path(homework.solutions) / file
        try:
            files[file] = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"the solution lacks {path}") from error
    return Code(homework, files, alone=False)


def inspect(
    homework: Homework,
    files: Mapping[str, bytes],
    problems: Mapping[str, Verdict],
    launcher: Launcher,
    announce: Callable[[str], None] = lambda file: None,
    waived: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Code, dict[str, tuple[str, ...]], list[str]]:
    """Find out, in throw-away workers, what each file of a submission is.

    Args:
        homework: the homework.
        files: the submission's files, UTF-8.
        problems: what is known to be wrong with a file.
        launcher: starts the workers.
        announce: told each file's name before anything is done with it.
        waived: by question, banned names that may be used all the same.

    Returns:
        the code to judge, for each question whose gate is closed the names that closed it, and the waived ones.
    """
    texts = {file: content.decode("utf-8") for file, content in files.items()}
    wrong = dict(problems)
    facts: dict[str, Facts] = {}
    for file in [file for file in texts if file not in wrong]:
        announce(file)
        try:
            facts[file] = _facts(homework, file, texts[file], launcher)
        except ZygoteGone:
            raise
        except (RemoteError, WorkerLost, ValueError) as error:
            facts[file] = Facts(complete=False)  # closes the gate of whatever imports it
            wrong[file] = Verdict(Outcome.FAILED, f"{file} could not be parsed: {judge(error).message}")
    gates, lifted = {}, []
    for question in homework.questions:
        names = (waived or {}).get(question.name, ())
        found = violations(homework, question, facts, names)
        if found:
            gates[question.name] = found
        if names:
            lifted += [line for line in violations(homework, question, facts) if line not in found]
    for file, question in homework.by_file.items():
        if file in texts and file not in wrong:
            announce(file)
            verdict = _load(Code(homework, texts, wrong), question, launcher)
            if verdict is not None:
                wrong[file] = verdict
    return Code(homework, texts, wrong), gates, lifted


def _facts(homework: Homework, file: str, text: str, launcher: Launcher) -> Facts:
    for last in (False, True):  # no student code runs here: a worker that is killed was killed from outside
        worker = launcher.take(homework.limits)
        try:
            return parse_facts(Session(worker).call("facts", text, file))
        except WorkerCrashed:
            if last:
                raise
        finally:
            worker.close()
    raise AssertionError("not reached")


def _load(code: Code, question: Question, launcher: Launcher) -> Verdict | None:
    """Import a question's file in a worker of its own: one that hangs or crashes there is measured only here."""
    verdict = _import_once(code, question, launcher)
    if verdict is not None and verdict.outcome is not Outcome.FAILED:
        # Perhaps a file that this one imports is to blame: judge it with support code in the others' place.
        others = {file: verdict for file in code.homework.by_file if file != question.file}
        verdict = _import_once(replace(code, problems={**code.problems, **others}), question, launcher)
    if verdict is None:
        return None
    frames = code.frames(verdict)
    where = f" ({frames[-1].file}, line {frames[-1].line})" if frames else ""
    return Verdict(verdict.outcome, f"{question.file} does not load: {verdict.message}{where}", frames)


def _import_once(code: Code, question: Question, launcher: Launcher) -> Verdict | None:
    worker = launcher.take(code.homework.limits)
    try:
        session = Session(worker)
        session.call("load", code.modules(question))
        session.call("module", question.name)
    except ZygoteGone:
        raise
    except (RemoteError, WorkerLost) as error:
        return judge(error)
    finally:
        worker.close()
    return None
