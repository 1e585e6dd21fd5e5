"""Reads the homework's description, `[tool.autograder]` of its pyproject.toml, and says what is wrong with it."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import ConfigError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ignored_types=(cached_property,))


Tier = Literal["public", "hidden", "secret"]
Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]


class Limits(_Frozen):
    """What one check may use of the worker."""

    cpu_seconds: float = Field(default=10, gt=0)
    wall_seconds: float = Field(default=60, gt=0)
    memory_mb: int = Field(default=2048, ge=64)


class Files(_Frozen):
    """For a homework whose answers open files: workers read the Python installation, and have a folder to write to."""

    scratch_mb: int = Field(default=16, ge=1)


class Ban(_Frozen):
    """Names that close a question's gate; see `bans.violations` for how they are written."""

    names: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    scope: str = ""  # a function such as MatMul.backward; everywhere if empty


class Waiver(_Frozen):
    """An instructor's word that a banned name may be used: in one question, by one submission or by all."""

    question: str
    name: str = Field(min_length=1)  # written as in a ban
    submission: str = ""  # everyone's if empty
    reason: str = Field(min_length=1)


class Question(_Frozen):
    """A graded part of the homework."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    points: float = Field(ge=0)
    file: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*\.py$")
    provides: tuple[str, ...] = ()
    bans: tuple[Ban, ...] = ()
    needs: tuple[str, ...] = ()  # questions whose own answers, not support code, this one runs on
    margins: tuple[str, ...] = ()  # of these, `validate` lists how far each mutant is from the thresholds


class Sample(_Frozen):
    """One submission of the demo: the solution with other files over it, and what must come of it."""

    name: str
    overlays: tuple[str, ...] = ()
    score: float | None = None  # in all, where that is the point
    loses: tuple[str, ...] = ()  # the questions that lose points, and no others; not looked at if there is a score


class Homework(_Frozen):
    """One assignment: its questions, and where its files are. Paths are relative to `root`."""

    root: Path
    title: str
    assignment: str = "assignment"
    solutions: str = "solutions"
    public_checks: str = "assignment/tests"
    hidden_checks: str = "autograder/checks"
    calibration: str = "solutions/calibration.json"
    data: tuple[str, ...] = ()  # files and folders that thresholds depend on
    requirements: tuple[str, ...] = ()  # packages that checks and data need besides the engine's own
    waivers: str = "waivers.toml"  # need not be there
    tiers: dict[str, Tier] = Field(default_factory=dict)  # what students see of `question::check`, or of a question's
    hidden_visibility: Visibility = "visible"  # on Gradescope, when students see how hidden checks ended
    salt: str = ""  # a secret, for checks that hide which public data they use
    limits: Limits = Limits()
    files: Files | None = None
    bans: Ban = Ban()
    questions: tuple[Question, ...] = Field(min_length=1)
    demo: tuple[Sample, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Homework:
        names = [question.name for question in self.questions]
        provided = [name for question in self.questions for name in question.provides]
        for kind, values in (("question", names), ("name", provided)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{kind} {twice[0]!r} is there twice")
        for question in self.questions:
            if question.file and question.file != f"{question.name}.py":
                raise ValueError(f"question {question.name!r}: its file must be {question.name}.py")
            unknown = sorted({*question.needs, *question.margins} - set(names))
            if unknown:
                raise ValueError(f"question {question.name!r} needs {unknown[0]!r}, which is not a question")
        return self

    def __repr__(self) -> str:
        return "homework"  # Hypothesis shows what a check received, and the student reads it

    @cached_property
    def by_file(self) -> dict[str, Question]:
        """The questions that have a file, by its name."""
        return {question.file: question for question in self.questions if question.file}

    @cached_property
    def provider(self) -> dict[str, Question]:
        """For each contract name, the question that provides it."""
        return {name: question for question in self.questions for name in question.provides}

    def question(self, name: str) -> Question:
        """The question of this name.

        Raises:
            ConfigError: there is none.
        """
        for question in self.questions:
            if question.name == name:
                return question
        known = ", ".join(question.name for question in self.questions)
        raise ConfigError(f"there is no question {name!r}; the questions are {known}")

    def path(self, relative: str) -> Path:
        """Where one of the homework's own files is."""
        return self.root / relative

    def load_module(self, relative: str) -> ModuleType:
        """Import one of the homework's own Python files, such as `assignment/data.py`, on the grader's side."""
        path = self.path(relative)
        name = f"_homework_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ConfigError(f"{path} is missing")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


def load_homework(folder: Path | None = None) -> Homework:
    """Read the homework of a folder, or of the nearest folder above the working directory that has one.

    Raises:
        ConfigError: there is none, or something in it is wrong; one line.
    """
    start = (folder or Path.cwd()).resolve()
    for root in [start] if folder else [start, *start.parents]:
        file = root / "pyproject.toml"
        if file.is_file():
            try:
                tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool")
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{file}: not valid TOML: {error}") from error
            if isinstance(tool, dict) and "autograder" in tool:
                return _parse(root, file, tool["autograder"])
    raise ConfigError(f"no pyproject.toml with [tool.autograder] in {start}; name the homework with --homework")


def load_waivers(homework: Homework, file: Path | None = None) -> tuple[Waiver, ...]:
    """Read a class's file of waivers, or the homework's own, which need not exist.

    Raises:
        ConfigError: it is not a list of `[[waiver]]`, each with question, name and reason.
    """
    path = file or homework.path(homework.waivers)
    if file is None and not path.is_file():
        return ()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        waivers = tuple(Waiver.model_validate(row) for row in table.pop("waiver", []))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{path}: [[waiver]] {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    if table:
        raise ConfigError(f"{path}: there is only [[waiver]] in it, not {next(iter(table))!r}")
    for waiver in waivers:
        homework.question(waiver.question)
    return waivers


def _parse(root: Path, file: Path, table: object) -> Homework:
    try:
        homework = Homework.model_validate({**table, "root": root} if isinstance(table, dict) else table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{file}: [tool.autograder] {where}: {first['msg']}".replace(" : ", ": ")) from error
    for relative in (homework.assignment, homework.solutions):
        if not homework.path(relative).is_dir():
            raise ConfigError(f"{file}: [tool.autograder]: the folder {relative} does not exist")
    return homework
