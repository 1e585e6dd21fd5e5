"""Proves the grader right before a student meets it: right answers pass, wrong ones fail, and every check is needed.

Each part is a function of a bench of warm graders that returns what it tried and what fell short. `validate` runs them
in order and is what `autograder validate` calls.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from . import calibration, diagnosis, leaks
from .answers import (
    Answer,
    answers,
    equivalents,
    importers,
    imports,
    questions_of,
    recorded,
    solution_files,
    together,
)
from .bans import parse_facts, violations
from .config import Homework, Question
from .diagnosis import Behaviour
from .errors import ConfigError
from .facts import facts_of
from .grading import Grading, strongest
from .mutation import Mutation, mutations
from .results import CheckInfo, CheckResult, Outcome, SubmissionResult
from .spellings import banned_names, spellings
from .submissions import Submission
from .visibility import always_said, for_student

Item = TypeVar("Item")
Result = TypeVar("Result")
Tell = Callable[[], None]
TRAINING_SECONDS = 15  # a mutant that has not trained by then never will: the solution takes a fifth of it
TELLING = 20  # characters of a line that nobody would write by chance
HASH_SEED = 20  # any but that of graders, which is 0


@dataclass
class Part:
    """One thing that was validated.

    Attributes:
        name: what.
        tried: how many cases.
        shortfalls: what is not as it must be, a line each.
        notes: what an instructor may want to know besides, a line each.
        summary: the same in a few words.
        seconds: how long it took.
    """

    name: str
    tried: int = 0
    shortfalls: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    summary: str = ""
    seconds: float = 0.0


@dataclass
class Validation:
    """What `validate` found."""

    parts: list[Part] = field(default_factory=list)
    caught: dict[str, list[str]] = field(default_factory=dict)  # by mutant, the checks that it did not pass
    behaviour: dict[str, diagnosis.Known] = field(default_factory=dict)  # by question, the solution's and mutants'
    times: dict[str, CheckResult] = field(default_factory=dict)  # by check, its result for the solution

    @property
    def passed(self) -> bool:
        """Whether nothing fell short."""
        return not any(part.shortfalls for part in self.parts)


class Bench:
    """Warm graders of each mode, which threads borrow.

    Args:
        homework: the homework.
        modes: isolation modes, the strongest first; the last is the quickest.
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
        self,
        mode: str,
        name: str,
        files: Mapping[str, bytes],
        questions: Iterable[str] | None,
        *,
        explain: bool = False,
        **options: Any,
    ) -> SubmissionResult:
        """Grade files in memory; missing files of other questions do not matter. Options are `Grading.grade`'s."""
        grading = self.free[mode].get()
        try:
            return grading.grade(Submission(name, dict(files), {}, ()), questions, explain=explain, **options)
        finally:
            self.free[mode].put(grading)

    def observe(self, mode: str, files: Mapping[str, bytes], questions: Sequence[str]) -> dict[str, Behaviour]:
        """What probes see of files in memory, by question."""
        grading = self.free[mode].get()
        try:
            return grading.observe(Submission("", dict(files), {}, ()), questions)
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


# -- parts -------------------------------------------------------------------------------------------------------------


def solution_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """The solution gets all points, in every mode alike."""
    part = Part("solution", len(bench.homework.questions))
    for result, shortfalls in _by_question(bench, "solution", bench.homework.solutions, tell):
        found.times |= {check.check.id: check for check in result.checks}
        part.shortfalls += [*shortfalls, *_lacks("the solution", result)]
    return part


def _by_question(bench: Bench, name: str, folder: str, tell: Tell) -> list[tuple[SubmissionResult, list[str]]]:
    """Grade all files of a folder, each question by itself, on the files that it stands on."""
    homework, imported = bench.homework, imports(bench.homework)

    def grade(question: Question) -> tuple[SubmissionResult, list[str]]:
        standing = {question.name, *imported.get(question.name, ()), *question.needs}
        paths = [homework.path(folder) / file for file, other in homework.by_file.items() if other.name in standing]
        return bench.in_all_modes(name, {path.name: path.read_bytes() for path in paths}, [question.name])

    return [found for _, found in bench.each(grade, homework.questions, tell)]


def _lacks(who: str, result: SubmissionResult) -> list[str]:
    """What an answer that is right lost."""
    lost = [c for c in result.checks if c.outcome is not Outcome.PASSED]
    found = [f"{who} does not pass {c.check.id}: {c.outcome}: {c.message.partition(chr(10))[0][:200]}" for c in lost]
    gates = [f"{who} loses {q.name}: {q.gate[0]}" for q in result.questions if q.gate]
    return found + gates


def stubs_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """The stubs get no point, in every mode alike."""
    part = Part("stubs", len(bench.homework.questions))
    for result, shortfalls in _by_question(bench, "stubs", bench.homework.assignment, tell):
        earned = [f"the stubs get {q.score:g} points in {q.name}" for q in result.questions if q.score]
        part.shortfalls += [*shortfalls, *earned, *_internal("the stubs", result)]
    return part


def _internal(who: str, result: SubmissionResult) -> list[str]:
    broken = [c for c in result.checks if c.outcome is Outcome.INTERNAL_ERROR]
    return [f"{who}: {c.check.id} goes wrong itself: {c.message[:200]}" for c in broken]


def _shows(who: str, result: SubmissionResult) -> list[str]:
    """Where a student would see what a hidden check has to say: it names inputs, expected values and its source."""
    found = []
    for check, shown in zip(result.checks, for_student(result.checks), strict=True):
        parts = (shown.message, shown.output, shown.comparison, shown.jacobians, shown.example, shown.hint)
        told = "\n".join([*parts, *(frame.function for frame in shown.frames)])
        texts = (check.message, check.output, check.comparison, check.jacobians, check.example)
        said = [line.strip() for text in texts for line in text.splitlines()]
        telling = [line for line in said if len(line) >= TELLING and not always_said(line, check.frames)]
        if check.check.visibility != "public" and any(line in told for line in telling):
            found.append(f"{who}: the student is shown what {check.check.id} says")
    return found


def mutants_part(bench: Bench, found: Validation, tell: Tell, every: int = 1) -> Part:
    """Each known wrong answer loses points in its own question, and in none that imports it; it has a hint."""
    homework, importing = bench.homework, importers(bench.homework)
    mutants = answers(homework, "mutants")
    solution = solution_files(homework)
    part = Part("mutants", len(mutants[::every]))
    lacking = {question.name for question in homework.questions} - set(questions_of(mutants))
    part.shortfalls += [f"{name} has no mutant" for name in sorted(lacking)]
    part.shortfalls += [
        f"{mutant.name} has no docstring: the hint that its mistake deserves" for mutant in mutants if not mutant.hint
    ]

    def grade(some: list[Answer]) -> tuple[dict[str, list[str]], list[str]]:
        who = ", ".join(mutant.name for mutant in some)
        files = {file: text for mutant in some for file, text in mutant.files.items()}
        own, shortfalls = bench.in_all_modes(who, files, questions_of(some))
        for mutant in some:
            question = own.question(mutant.question)
            if question.score is None or question.score >= question.points:
                shortfalls.append(f"{mutant.name} is not caught")
        shortfalls += _internal(who, own) + _shows(who, own)
        others = {name for mutant in some for name in importing.get(mutant.question, [])}
        if others:
            beside = {file: text for file, text in solution.items() if homework.by_file[file].name in others}
            result = bench.grade(bench.modes[-1], who, {**files, **beside}, sorted(others))
            shortfalls += _lacks(f"beside {who}, the solution", result)
        return {mutant.name: _lost(own, mutant.question) for mutant in some}, shortfalls

    for _, (caught, shortfalls) in bench.each(grade, together(mutants[::every]), tell):
        found.caught |= caught
        part.shortfalls += shortfalls
    return part


def _lost(result: SubmissionResult, question: str) -> list[str]:
    """The checks of a question that did not pass."""
    own = [check for check in result.checks if check.check.question == question]
    return [check.check.id for check in own if check.outcome is not Outcome.PASSED]


def hints_part(bench: Bench, found: Validation, tell: Tell, every: int = 1, record: bool = False) -> Part:
    """Each known mistake is recognised by its behaviour alone, and no right answer is taken for a mistake.

    What was seen is compared with what is recorded, or, to record it anew, with itself. Questions without a probe have
    no such hints; notes say which.
    """
    homework = bench.homework
    mutants, variants = answers(homework, "mutants")[::every], answers(homework, "variants")[::every]
    right = [Answer(q.name, "the solution", solution_files(homework), "") for q in homework.questions]
    seen: dict[tuple[str, str], Behaviour] = {}

    def observe(some: list[Answer]) -> None:
        files = {file: text for answer in some for file, text in answer.files.items()}
        found = bench.observe(bench.modes[-1], files, questions_of(some))
        seen.update({(a.question, a.name): found[a.question] for a in some if a.question in found})

    for _ in bench.each(observe, [*([answer] for answer in right), *together([*mutants, *variants])], tell):
        pass
    solution = {question: behaviour for (question, name), behaviour in seen.items() if name == "the solution"}
    found.behaviour = {
        question: diagnosis.known(
            of, [(m.name, m.hint, seen[question, m.name]) for m in mutants if (question, m.name) in seen]
        )
        for question, of in solution.items()
    }
    known = found.behaviour if record else diagnosis.recorded(homework)
    part = Part("hints", len(mutants) + len(variants) + len(right))
    part.notes = [f"{question.name} has no probe" for question in homework.questions if question.name not in solution]
    for mutant in mutants:
        if mutant.question in solution:
            own = seen.get((mutant.question, mutant.name), {})
            part.shortfalls += _unrecognised(mutant, known.get(mutant.question), own)
    for answer in [*variants, *right]:
        if (answer.question, answer.name) in seen and answer.question in known:
            off = diagnosis.deviations(seen[answer.question, answer.name], known[answer.question].solution)
            part.shortfalls += [f"{answer.name} shows {name!r} otherwise than the solution" for name in list(off)[:1]]
    return part


def _unrecognised(mutant: Answer, known: diagnosis.Known | None, seen: Behaviour) -> list[str]:
    """What keeps a mutant from being told by its behaviour."""
    if known is None:
        return [f"{mutant.name}: nothing is recorded of {mutant.question}; run `autograder validate --record`"]
    if known.hint(seen) == diagnosis.one_line(mutant.hint):
        return []
    others = [mistake.name for mistake in known.recognise(seen) if mistake.name != mutant.name]
    if others:
        return [f"{mutant.name} behaves like {', '.join(others)}: see the probe of {mutant.question}"]
    return [f"{mutant.name} is not recognised: run `autograder validate --record`, or see the probe"]


def variants_part(bench: Bench, found: Validation, tell: Tell, every: int = 1) -> Part:
    """Each unusual right answer gets all points, in its question and, with others, in those that stand on it."""
    homework, importing = bench.homework, importers(bench.homework)
    variants = answers(homework, "variants")[::every]
    solution = solution_files(homework)

    def grade(some: list[Answer]) -> list[str]:
        who = ", ".join(variant.name for variant in some)
        questions = dict.fromkeys(questions_of(some))
        for variant in some:
            questions |= dict.fromkeys(importing.get(variant.question, ()))
            questions |= dict.fromkeys(q.name for q in homework.questions if variant.question in q.needs)
        files = {**solution, **{file: text for variant in some for file, text in variant.files.items()}}
        result, shortfalls = bench.in_all_modes(who, files, questions)
        return shortfalls + _lacks(who, result)

    part = Part("variants", len(variants))
    for _, shortfalls in bench.each(grade, together(variants), tell):
        part.shortfalls += shortfalls
    return part


def margins_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """How the mutants of training parts do at what is calibrated: below its threshold, or caught by their own question.

    Notes list each mutant's distance from the threshold of the question's first calibrated check: the others train with
    the same parts.
    """
    homework = bench.homework
    solution = solution_files(homework)
    cases = _margin_cases(homework)
    part = Part("margins", len(cases))
    calibrated: dict[str, str] = {}
    for check, result in found.times.items():
        if result.measured:
            calibrated.setdefault(result.check.question, check)

    def grade(case: tuple[Question, Answer]) -> Sequence[CheckResult]:
        question, mutant = case
        files = {**solution, **mutant.files}
        options: dict[str, Any] = {"seconds": TRAINING_SECONDS, "only": calibrated.values()}
        return bench.grade(bench.modes[0], mutant.name, files, [question.name], **options).checks

    threshold = calibration.Calibration(homework, {}).threshold
    margins: list[float] = []
    for (_, mutant), checks in bench.each(grade, cases, tell):
        measured = [value - threshold(name) for check in checks for name, value in check.measured.items()]
        lost = [check.check.name for check in checks if check.outcome is not Outcome.PASSED]
        if not measured:
            part.notes.append(f"{mutant.name} does not train: {lost[0]}")
            continue
        margins.append(min(measured))
        part.notes.append(f"{mutant.name}: {margins[-1]:+.4f}; {'caught by ' + ', '.join(lost) if lost else 'passes'}")
        if not lost and found.caught.get(mutant.name) == []:
            part.shortfalls.append(f"{mutant.name} trains as well as the solution, and no check of its own catches it")
    below = [margin for margin in margins if margin < 0]
    part.summary = f"{len(below)} below the threshold{f' by {-max(below):.4f} or more' if below else ''}, "
    part.summary += f"{len(margins) - len(below)} train as well, {len(cases) - len(margins)} do not train"
    return part


def _margin_cases(homework: Homework) -> list[tuple[Question, Answer]]:
    """Calibrated questions, each with the mutants that should show in it."""
    mutants = answers(homework, "mutants")
    return [
        (question, mutant)
        for question in homework.questions
        for mutant in mutants
        if mutant.question in question.margins
    ]


def ablation_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """Each check catches what it is recorded to catch, so that none can be lost or weakened unnoticed.

    A hidden check that catches nothing is dead, and falls short too. Notes tell which mutants a check is the only one
    to catch; without any, its neighbours do what it does.
    """
    homework = bench.homework
    record = recorded(homework)
    part = Part("ablation", len(bench.checks))
    needed = 0
    for check in bench.checks:
        caught = [mutant for mutant, checks in found.caught.items() if check.id in checks]
        if lost := [name for name in record.get(check.id, ()) if name in found.caught and name not in caught]:
            part.shortfalls.append(f"{check.id} does not catch {', '.join(lost)} any more")
        if not caught and check.visibility != "public":
            part.shortfalls.append(f"{check.id} catches no mutant")
        if only := only_by(found.caught, check):
            part.notes.append(f"{check.id} alone catches {', '.join(only)}")
        elif caught:
            part.notes.append(f"{check.id} catches {len(caught)} mutants, each of which its neighbours catch too")
        needed += bool(only)
    for gone in record.keys() - {check.id for check in bench.checks}:
        part.shortfalls.append(f"{gone} is gone, which caught {', '.join(record[gone][:3])}")
    part.summary = f"{needed} are the only ones to catch some mutant"
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
        files = {file: mutation.source.encode()}
        result = bench.grade(bench.modes[-1], question.name, files, [question.name], stop=True)
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
    part.summary = f"{killed} killed, {equivalent} equivalent"
    return part


def _mutations(homework: Homework, file: str) -> list[Mutation]:
    return list(mutations((homework.path(homework.solutions) / file).read_text(encoding="utf-8")))


def calibration_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """Thresholds were measured with this torch, on these data, and promise a low enough rate of false failures."""
    homework = bench.homework
    part = Part("calibration", 1, calibration.shortfalls(homework, bench.versions))
    tell()
    return part


def bans_part(bench: Bench, found: Validation, tell: Tell, every: int = 1) -> Part:
    """Each banned name is found however it is spelled, and not where it is exempt."""
    homework = bench.homework
    cases = [
        (question, name, source, forbidden)
        for question in homework.by_file.values()
        for ban in (homework.bans, *question.bans)
        for name in banned_names(ban)
        for source, forbidden in spellings(name, ban.scope)
    ][::every]
    part = Part("bans", len(cases))
    for question, name, source, forbidden in cases:
        facts = parse_facts(facts_of(source.encode(), str(question.file)))
        gate = violations(homework, question, {str(question.file): facts})
        if bool(gate) != forbidden:
            said = "is not found" if forbidden else f"is exempt, and closes the gate ({gate[0]})"
            part.shortfalls.append(f"{question.name}: {name} {said}, spelled\n{source}")
    tell()
    return part


def determinism_part(bench: Bench, found: Validation, tell: Tell) -> Part:
    """The same submission gets the same verdicts, whichever way it is graded, on a machine that is busy besides."""
    homework, mode = bench.homework, bench.modes[0]
    solution = solution_files(homework)
    stubs = {file: (homework.path(homework.assignment) / file).read_bytes() for file in homework.by_file}
    half = {file: (solution, stubs)[number % 2][file] for number, file in enumerate(homework.by_file)}
    wrong = {**solution, **next((dict(mutant.files) for mutant in answers(homework, "mutants")), stubs)}
    submissions = {"solution": solution, "half done": half, "wrong": wrong}
    backwards = [question.name for question in reversed(homework.questions)]
    alone = homework.questions[len(homework.questions) // 2].name
    with Grading(homework, mode, hash_seed=HASH_SEED) as other:
        one_by_one = threading.Lock()

        def grade(case: tuple[str, str]) -> SubmissionResult:
            name, way = case
            files = submissions[name]
            if way == BACKWARDS:
                with one_by_one:
                    return other.grade(Submission(name, dict(reversed(files.items())), {}, ()), backwards)
            return bench.grade(mode, name, files, [alone] if way == ALONE else None, explain=True)

        cases = [(name, way) for way in WAYS for name in submissions]
        with _busy():
            results = dict(bench.each(grade, cases, tell))
    part = Part("determinism", len(cases))
    for name in submissions:
        expected = {check.check.id: _timeless(check) for check in results[name, WAYS[0]].checks}
        if name == "solution":  # each question alone, and in every mode
            part.shortfalls += _unlike(name, "by itself", found.times.values(), expected)
        for way in WAYS[1:]:
            part.shortfalls += _unlike(name, way, results[name, way].checks, expected)
    return part


def _unlike(name: str, way: str, checks: Iterable[CheckResult], expected: Mapping[str, CheckResult]) -> list[str]:
    return [f"{name}: {c.check.id} is not the same {way}" for c in checks if _timeless(c) != expected[c.check.id]]


BACKWARDS, ALONE = "in another order, with another hash seed, one by one", "alone"
WAYS = ("whole", BACKWARDS, ALONE)


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

NEEDS = {"ablation": ("mutants",), "margins": ("solution",), "determinism": ("solution",)}  # parts, by who needs them
QUICK = 8  # `--quick` tries every eighth mutant and variant
Progress = Callable[[str, int], Tell]  # told of a part's name and size, returns what to call for each step done


def validate(
    homework: Homework,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    jobs: int = 2,
    record: bool = False,
    progress: Progress = lambda name, steps: lambda: None,
) -> Validation:
    """Validate a homework.

    Args:
        homework: the homework.
        quick: a sample of mutants and variants, one isolation mode, nothing twice.
        only: names of parts; all if empty. They bring the parts along that they need.
        jobs: how many submissions are graded at a time.
        record: what is seen of mutants will be recorded: hold it against itself, not against the last record.
        progress: told about each part as it begins.

    Raises:
        ConfigError, IsolationError: as grading does.
    """
    strong = strongest()
    modes = [strong] if quick else [strong, "none"]
    every = QUICK if quick else 1
    found = Validation()
    counts = {kind: len(together(answers(homework, kind)[::every])) for kind in ("mutants", "variants")}
    both = len(together([answer for kind in counts for answer in answers(homework, kind)[::every]]))
    generated = sum(len(_mutations(homework, file)) for file in homework.by_file)
    parts: list[tuple[str, int, Callable[[Bench, Validation, Tell], Part]]] = [
        ("calibration", 1, calibration_part),
        ("leaks", 1, leaks_part),
        ("bans", 1, partial(bans_part, every=every)),
        ("solution", len(homework.questions), solution_part),
        ("stubs", len(homework.questions), stubs_part),
        ("variants", counts["variants"], partial(variants_part, every=every)),
        ("mutants", counts["mutants"], partial(mutants_part, every=every)),
        ("hints", len(homework.questions) + both, partial(hints_part, every=every, record=record)),
    ]
    if not quick:
        parts += [
            ("ablation", 1, ablation_part),
            ("generated mutants", generated, generated_part),
            ("margins", len(_margin_cases(homework)), margins_part),
            ("determinism", 9, determinism_part),
        ]
    unknown = sorted(set(only) - {name for name, _, _ in parts})
    if unknown:
        raise ConfigError(f"there is no part {unknown[0]!r}; the parts are {', '.join(name for name, _, _ in parts)}")
    if only:
        chosen = {*only, *(needed for name in only for needed in NEEDS.get(name, ()))}
        parts = [part for part in parts if part[0] in chosen]
    with Bench(homework, modes, jobs) as bench:
        for name, steps, run in parts:
            started = time.perf_counter()
            part = run(bench, found, progress(name, steps))
            part.seconds = round(time.perf_counter() - started, 1)
            found.parts.append(part)
    return found
