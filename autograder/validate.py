"""Proves the grader right before a student meets it: right answers pass, wrong ones fail, and every check is needed.

Each part is a function of a bench of warm graders that returns what it tried and what fell short. `validate` runs them
in order and is what `autograder validate` calls.
"""

from __future__ import annotations

import ast
import queue
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from . import calibration, leaks
from .bans import parse_facts, violations
from .config import Homework
from .errors import ConfigError
from .facts import facts_of
from .grading import Grading, strongest
from .mutation import Mutation, mutations
from .results import CheckInfo, CheckResult, Outcome, SubmissionResult
from .spellings import banned_names, spellings
from .submissions import Submission

Item = TypeVar("Item")
Result = TypeVar("Result")
Tell = Callable[[], None]
EQUIVALENT = "equivalent.toml"  # beside the solution: generated mutants that make no difference


@dataclass(frozen=True)
class Answer:
    """A mutant or a variant: a question's file, written otherwise, perhaps with helper modules."""

    question: str
    name: str
    files: Mapping[str, bytes]

    @property
    def hint(self) -> str:
        """The docstring: of a mutant, the hint that a student with this mistake deserves."""
        return ast.get_docstring(ast.parse(self.files[f"{self.question}.py"])) or ""


def answers(homework: Homework, kind: str) -> list[Answer]:
    """The homework's `mutants` or `variants`: `<kind>/<question>/<name>.py`, or a folder of files of that name."""
    found = []
    for question in homework.by_file.values():
        for path in sorted((homework.path(homework.solutions) / kind / question.name).glob("*")):
            if path.suffix == ".py":
                files = {str(question.file): path.read_bytes()}
            else:
                files = {file.name: file.read_bytes() for file in sorted(path.glob("*.py"))}
            if files:
                found.append(Answer(question.name, f"{question.name}/{path.stem}", files))
    return found


def importers(homework: Homework) -> dict[str, list[str]]:
    """For each question, the others whose solution imports its file, directly or not."""
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
    return {name: [other for other in direct if name in direct[other]] for name in direct}


@dataclass
class Part:
    """One thing that was validated.

    Attributes:
        name: what.
        tried: how many cases.
        shortfalls: what is not as it must be, a line each.
        notes: what an instructor wants to know besides.
        seconds: how long it took.
    """

    name: str
    tried: int = 0
    shortfalls: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Validation:
    """What `validate` found."""

    parts: list[Part] = field(default_factory=list)
    caught: dict[str, list[str]] = field(default_factory=dict)  # by mutant, the checks that it did not pass
    times: dict[str, CheckResult] = field(default_factory=dict)  # by check, its result for the solution

    @property
    def passed(self) -> bool:
        """Whether nothing fell short."""
        return not any(part.shortfalls for part in self.parts)


class Bench:
    """Warm graders of each mode, which threads borrow.

    Args:
        homework: the homework.
        modes: isolation modes.
        jobs: how many submissions are graded at a time.
    """

    def __init__(self, homework: Homework, modes: Sequence[str], jobs: int):
        self.homework, self.modes, self.jobs = homework, tuple(modes), jobs
        self.stack = ExitStack()
        self.free: dict[str, queue.Queue[Grading]] = {mode: queue.Queue() for mode in modes}
        with ThreadPoolExecutor(jobs * len(modes)) as threads:
            for grading in threads.map(partial(Grading, homework), [mode for mode in modes for _ in range(jobs)]):
                self.free[grading.isolation].put(self.stack.enter_context(grading))
                self.checks, self.versions = grading.checks, grading.grader.ready["versions"]

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def grade(
        self, mode: str, name: str, files: Mapping[str, bytes], questions: Iterable[str] | None, stop: bool = False
    ) -> SubmissionResult:
        """Grade files in memory; missing files of other questions do not matter."""
        grading = self.free[mode].get()
        try:
            return grading.grade(Submission(name, dict(files), {}, ()), questions, stop=stop)
        finally:
            self.free[mode].put(grading)

    def in_all_modes(
        self, name: str, files: Mapping[str, bytes], questions: Iterable[str] | None
    ) -> tuple[SubmissionResult, list[str]]:
        """Grade in each mode; the first mode's result, and how the others differ from it."""
        first, *others = [self.grade(mode, name, files, questions) for mode in self.modes]
        pairs = zip(self.modes[1:], others, strict=True)
        return first, [line for mode, other in pairs for line in _differ(name, mode, first, other)]

    def each(self, work: Callable[[Item], Result], items: Sequence[Item], tell: Tell) -> Iterator[tuple[Item, Result]]:
        """Do some work for each item, in parallel; results come in the order of the items."""
        with ThreadPoolExecutor(self.jobs) as threads:
            futures = [threads.submit(work, item) for item in items]
            for future in as_completed(futures):
                tell()
                future.result()
            yield from zip(items, [future.result() for future in futures], strict=True)


def _differ(name: str, mode: str, first: SubmissionResult, other: SubmissionResult) -> list[str]:
    theirs = other.outcomes()
    return [
        f"{name}: {check} is {outcome} in mode {first.isolation['mode']}, and {theirs[check]} in mode {mode}"
        for check, outcome in first.outcomes().items()
        if theirs[check] is not outcome
    ]


def _files(folder: Path, homework: Homework) -> dict[str, bytes]:
    return {file: (folder / file).read_bytes() for file in homework.by_file}


# -- parts -------------------------------------------------------------------------------------------------------------


def solution_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """The solution gets all points, in every mode alike."""
    homework = bench.homework
    result, shortfalls = bench.in_all_modes("solution", _files(homework.path(homework.solutions), homework), None)
    found.times = {check.check.id: check for check in result.checks}
    tell()
    return Part("solution", 1, shortfalls + _lacks("the solution", result))


def _lacks(who: str, result: SubmissionResult) -> list[str]:
    """What an answer that is right lost."""
    lost = [c for c in result.checks if c.outcome is not Outcome.PASSED]
    found = [f"{who} does not pass {c.check.id}: {c.outcome}: {c.message.partition(chr(10))[0][:200]}" for c in lost]
    gates = [f"{who} loses {q.name}: {q.gate[0]}" for q in result.questions if q.gate]
    return found + gates


def stubs_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """The stubs get no point, in every mode alike."""
    homework = bench.homework
    result, shortfalls = bench.in_all_modes("stubs", _files(homework.path(homework.assignment), homework), None)
    shortfalls += [f"the stubs get {q.score:g} points in {q.name}" for q in result.questions if q.score]
    shortfalls += _internal("the stubs", result)
    tell()
    return Part("stubs", 1, shortfalls)


def _internal(who: str, result: SubmissionResult) -> list[str]:
    broken = [c for c in result.checks if c.outcome is Outcome.INTERNAL_ERROR]
    return [f"{who}: {c.check.id} goes wrong itself: {c.message[:200]}" for c in broken]


def mutants_part(bench: Bench, found: Validation, tell: Tell, every: int = 1) -> Part:
    """Each known wrong answer loses points in its own question, and in none that imports it; it has a hint."""
    homework, importing = bench.homework, importers(bench.homework)
    mutants = answers(homework, "mutants")
    solution = _files(homework.path(homework.solutions), homework)
    part = Part("mutants", len(mutants[::every]))
    for kind in homework.by_file.values():
        if not any(mutant.question == kind.name for mutant in mutants):
            part.shortfalls.append(f"{kind.name} has no mutant")

    def grade(mutant: Answer) -> tuple[list[str], list[str]]:
        own, shortfalls = bench.in_all_modes(mutant.name, mutant.files, [mutant.question])
        question = own.question(mutant.question)
        if question.score is None or question.score >= question.points:
            shortfalls.append(f"{mutant.name} is not caught")
        shortfalls += _internal(mutant.name, own)
        if not mutant.hint:
            shortfalls.append(f"{mutant.name} has no docstring: the hint that its mistake deserves")
        if others := importing[mutant.question]:
            sent = {str(homework.question(name).file) for name in others}
            files = {file: text for file, text in solution.items() if file in sent}
            beside = bench.grade(bench.modes[0], mutant.name, {**files, **mutant.files}, others)
            shortfalls += _lacks(f"beside {mutant.name}, the solution", beside)
        return [c.check.id for c in own.checks if c.outcome is not Outcome.PASSED], shortfalls

    for mutant, (caught, shortfalls) in bench.each(grade, mutants[::every], tell):
        found.caught[mutant.name] = caught
        part.shortfalls += shortfalls
    return part


def variants_part(bench: Bench, found: Validation, tell: Tell, every: int = 1) -> Part:
    """Each unusual right answer gets all points, in its question and in those that stand on it."""
    homework, importing = bench.homework, importers(bench.homework)
    variants = answers(homework, "variants")
    solution = _files(homework.path(homework.solutions), homework)

    def grade(variant: Answer) -> list[str]:
        own, shortfalls = bench.in_all_modes(variant.name, variant.files, [variant.question])
        shortfalls += _lacks(variant.name, own)
        needing = [q.name for q in homework.questions if variant.question in q.needs]
        if standing := [*importing[variant.question], *needing]:
            result = bench.grade(bench.modes[0], variant.name, {**solution, **variant.files}, standing)
            shortfalls += _lacks(f"{variant.name}, elsewhere,", result)
        return shortfalls

    part = Part("variants", len(variants[::every]))
    for _, shortfalls in bench.each(grade, variants[::every], tell):
        part.shortfalls += shortfalls
    return part


def ablation_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """Each hidden check catches a mutant that no other check catches: else nobody would notice were it gone."""
    part = Part("ablation", len(bench.checks))
    questions = {mutant.partition("/")[0] for mutant in found.caught}
    for check in bench.checks:
        if check.question in questions and not (only := only_by(found.caught, check)):
            line = f"{check.id} catches no mutant that nothing else catches"
            (part.notes if check.visibility == "public" else part.shortfalls).append(line)
        elif check.question in questions:
            part.notes.append(f"{check.id} alone catches {', '.join(only)}")
    return part


def only_by(caught: Mapping[str, Sequence[str]], check: CheckInfo) -> list[str]:
    """The mutants that a check is the only one to catch; a parametrized check counts as one."""
    function = check.id.partition("[")[0]
    return [name for name, checks in caught.items() if {found.partition("[")[0] for found in checks} == {function}]


def generated_part(bench: Bench, found: Validation, tell: Tell, every: int = 1) -> Part:
    """Each small change to the solution is noticed by a check, or recorded as making no difference, with a reason."""
    homework = bench.homework
    recorded = equivalents(homework)
    changed = [(str(file), mutation) for file in homework.by_file for mutation in _mutations(homework, file)]
    part = Part("generated mutants", len(changed[::every]))

    def caught_by(case: tuple[str, Mutation]) -> str:
        file, mutation = case
        question = homework.by_file[file]
        result = bench.grade(
            bench.modes[0], question.name, {file: mutation.source.encode()}, [question.name], stop=True
        )
        return next((c.check.id for c in result.checks if c.outcome is not Outcome.PASSED), "")

    unused = set(recorded)
    equivalent = 0
    for (file, mutation), check in bench.each(caught_by, changed[::every], tell):
        key = file, mutation.change
        unused.discard(key)
        if check and key in recorded:
            part.shortfalls.append(f"{file}:{mutation.line} is recorded as equivalent, and {check} catches it")
        elif not check and key in recorded:
            equivalent += 1
        elif not check:
            change = mutation.change.replace("\n", "  ")
            part.shortfalls.append(f"{file}:{mutation.line}: no check notices  {change}")
    if every == 1:
        part.shortfalls += [f"{file} has no mutant any more that is recorded: {change!r}" for file, change in unused]
    killed = part.tried - equivalent - len(part.shortfalls)
    part.notes.append(f"{killed} killed, {equivalent} equivalent, {part.tried} in all")
    return part


def _mutations(homework: Homework, file: str) -> list[Mutation]:
    return list(mutations((homework.path(homework.solutions) / file).read_text(encoding="utf-8")))


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


def calibration_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """Thresholds were measured with this torch, on these data, and promise a low enough rate of false failures."""
    homework = bench.homework
    part = Part("calibration", 1, calibration.shortfalls(homework, bench.versions))
    tell()
    return part


def bans_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """Each banned name is found however it is spelled, and not where it is exempt."""
    homework = bench.homework
    part = Part("bans")
    for question in homework.by_file.values():
        for ban in (homework.bans, *question.bans):
            for name in banned_names(ban):
                for source, forbidden in spellings(name, ban.scope):
                    part.tried += 1
                    facts = parse_facts(facts_of(source.encode(), str(question.file)))
                    gate = violations(homework, question, {str(question.file): facts})
                    if bool(gate) != forbidden:
                        said = "is not found" if forbidden else f"is exempt, and closes the gate ({gate[0]})"
                        part.shortfalls.append(f"{question.name}: {name} {said}, spelled\n{source}")
    tell()
    return part


def determinism_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """The same submission gets the same verdicts: in a fresh grader, beside another, alone, in another order, busy."""
    homework, mode = bench.homework, bench.modes[0]
    solution = _files(homework.path(homework.solutions), homework)
    stubs = _files(homework.path(homework.assignment), homework)
    files = list(homework.by_file)
    half = {file: (solution if number % 2 else stubs)[file] for number, file in enumerate(files)}
    wrong = {**solution, **next((dict(mutant.files) for mutant in answers(homework, "mutants")), stubs)}
    part = Part("determinism")

    def compare(name: str, how: str, first: SubmissionResult, other: SubmissionResult) -> None:
        part.tried += 1
        expected = {check.check.id: _timeless(check) for check in first.checks}
        for check in other.checks:
            if _timeless(check) != expected[check.check.id]:
                part.shortfalls.append(f"{name}: {check.check.id} is not the same {how}")

    for name, submitted in (("solution", solution), ("half done", half), ("wrong", wrong)):
        first = bench.grade(mode, name, submitted, None)
        with ThreadPoolExecutor(2) as threads, _busy():
            at_once = [threads.submit(bench.grade, mode, name, submitted, None) for _ in range(2)]
            for task in at_once:
                compare(name, "beside another one on a busy machine", first, task.result())
        alone = bench.homework.questions[len(files) // 2].name
        compare(name, "alone", first, bench.grade(mode, name, submitted, [alone]))
        backwards = dict(reversed(submitted.items()))
        compare(name, "with its files in another order", first, bench.grade(mode, name, backwards, None))
        with Grading(homework, mode) as fresh:
            compare(name, "in a fresh grader", first, fresh.grade(Submission(name, submitted, {}, ())))
        tell()
    return part


def _timeless(check: CheckResult) -> CheckResult:
    return replace(check, seconds=0.0)


@contextmanager
def _busy() -> Iterator[None]:
    """Keep a processor busy meanwhile."""
    spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def leaks_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """No statement of the solution, of a mutant or of a hidden check is in what students get."""
    tried, shown = leaks.leaks(bench.homework, bench.homework.path(bench.homework.assignment))
    tell()
    return Part("leaks", tried, shown)


# -- all together ------------------------------------------------------------------------------------------------------

QUICK = 5  # `--quick` tries every fifth mutant and variant
Progress = Callable[[str, int], Tell]  # told of a part's name and size, returns what to call for each step done


def validate(
    homework: Homework,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    jobs: int = 2,
    progress: Progress = lambda name, steps: lambda: None,
) -> Validation:
    """Validate a homework.

    Args:
        homework: the homework.
        quick: a sample of mutants and variants, one isolation mode, nothing twice.
        only: names of parts; all if empty.
        jobs: how many submissions are graded at a time.
        progress: told about each part as it begins.

    Raises:
        ConfigError, IsolationError: as grading does.
    """
    strong = strongest()
    modes = [strong] if quick or strong == "none" else [strong, "none"]
    every = QUICK if quick else 1
    found = Validation()
    counts = {kind: len(answers(homework, kind)[::every]) for kind in ("mutants", "variants")}
    generated = sum(len(_mutations(homework, file)) for file in homework.by_file)
    parts: list[tuple[str, int, Callable[[Bench, Validation, Tell], Part]]] = [
        ("calibration", 1, calibration_part),
        ("leaks", 1, leaks_part),
        ("bans", 1, bans_part),
        ("solution", 1, solution_part),
        ("stubs", 1, stubs_part),
        ("variants", counts["variants"], partial(variants_part, every=every)),
        ("mutants", counts["mutants"], partial(mutants_part, every=every)),
    ]
    if not quick:
        parts += [
            ("ablation", 1, ablation_part),
            ("generated mutants", generated, generated_part),
            ("determinism", 3, determinism_part),
        ]
    unknown = sorted(set(only) - {name for name, _, _ in parts})
    if unknown:
        raise ConfigError(f"there is no part {unknown[0]!r}; the parts are {', '.join(name for name, _, _ in parts)}")
    if only:
        parts = [part for part in parts if part[0] in only]
    with Bench(homework, modes, jobs) as bench:
        for name, steps, run in parts:
            started = time.perf_counter()
            part = run(bench, found, progress(name, steps))
            part.seconds = round(time.perf_counter() - started, 1)
            found.parts.append(part)
    return found
