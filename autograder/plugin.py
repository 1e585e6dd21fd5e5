"""The pytest plugin: ordinary check functions in, one verdict each out.

It gives checks their fixtures (`hw`, `reference`, `homework`, `calibration`), a fresh worker each, the same seed before
each check and each Hypothesis example, and asks `blame` what to make of whatever they raise. A timeout is confirmed by
running the check once more; an exception that may be the check's own fault is tried against the solution.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import hypothesis
import hypothesis.errors
import pytest
import torch
from _pytest.runner import runtestprotocol

from . import calibration as calibrations
from .blame import Verdict, judge
from .config import Homework, Limits
from .errors import ConfigError, IsolationError, WorkerLost, ZygoteGone
from .explanation import Examples, Explanation, explain
from .loading import Code, solution
from .results import CheckInfo, CheckResult, Outcome
from .sandbox import Launcher
from .subject import RemoteSubject, Session
from .transports import Worker
from .worker import seed_everything

HANGS = 2  # checks of a question that timed out, after which its others wait until all else has run
SHRINK_CALLS = 400  # calls into student code that Hypothesis may spend on making a failing example smaller
MAX_ENTRIES_SHOWN = 1_000  # of a tensor of more than three dimensions
# Plugins of pytest's own; the last two collect garbage at the end of each session, which is a process that ends.
UNUSED = ("cacheprovider", "faulthandler", "logging", "threadexception", "unraisableexception")
VISIBILITIES = ("public", "hidden", "secret")
DEFAULT_TIER = {True: "public", False: "hidden"}  # by whether the check's file is in the handout
MARKS = {
    "points(n)": "what the check is worth within its question; 1 if absent",
    "visibility(tier)": "public, hidden or secret",
    "cooperative": "the check relies on what the worker says about itself",
    "limits(cpu_seconds, wall_seconds, memory_mb)": "other limits than the homework's",
}
CHECK: pytest.StashKey[CheckInfo] = pytest.StashKey()
RAISED: pytest.StashKey[list[BaseException]] = pytest.StashKey()


class _Enough(BaseException):
    """The calls for shrinking are used up; the failure is known. Not an Exception: it must end the whole check."""


@dataclass
class _Run:
    """One attempt at one check: its worker, and the smallest failure seen."""

    code: Code
    seed: int = 0
    worker: Worker | None = None
    session: Session | None = None
    subject: RemoteSubject | None = None
    output: str = ""
    failure: BaseException | None = None
    failure_size: int = 0
    examples: Examples = field(default_factory=Examples)
    explanation: Explanation | None = None
    shrink: int = SHRINK_CALLS
    stop_at: int | None = None  # number of calls
    measured: dict[str, float] = field(default_factory=dict)

    def reseed(self) -> None:
        """Start over from the check's seed, on both sides."""
        if self.subject is not None:
            self.subject.seed(self.seed)
        else:
            seed_everything(self.seed)

    def failed(self, error: BaseException, arguments: dict[str, Any], test: Callable[..., Any]) -> None:
        """Keep the smallest failing example; the first one sets the budget for finding smaller ones."""
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        smaller = self.failure is None or len(shown) < self.failure_size
        if smaller:
            self.failure, self.failure_size = error, len(shown)
        if self.shrink:
            self.examples.failed(error, arguments, test, smallest=smaller)
        if self.stop_at is None:
            self.stop_at = self.calls + self.shrink

    @property
    def calls(self) -> int:
        """Calls that crossed so far."""
        return self.session.calls if self.session else 0


@dataclass
class Judge:
    """The plugin of one pytest session.

    Args:
        homework: the homework whose checks these are.
        launcher: starts workers.
        code: whose code is judged.
        emit: told about each check as it starts and finishes.
        wanted: the ids of the checks to run, in this order; all if None.
        seed: what everything is seeded with.
        measure: run calibrated checks only, and hold nothing against its threshold.
        stop: run no check after the first that does not pass.
        shrink: calls that may be spent on making a failing example smaller.
    """

    homework: Homework
    launcher: Launcher | None = None
    code: Code | None = None
    emit: Callable[[dict[str, Any]], None] = lambda event: None
    wanted: Sequence[str] | None = None
    seed: int = 0
    measure: bool = False
    stop: bool = False
    shrink: int = SHRINK_CALLS
    checks: list[CheckInfo] = field(default_factory=list)
    problem: BaseException | None = None
    hung: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)  # the question of each check that did
    run: _Run = field(init=False)

    def collect(self) -> list[CheckInfo]:
        """Collect the homework's checks without running any.

        Raises:
            ConfigError: a check file is wrong.
        """
        self._pytest(["--collect-only", *self._folders()])
        return self.checks

    def run_checks(self) -> None:
        """Run the wanted checks, telling `emit` about each.

        Raises:
            ConfigError: a check file is wrong.
        """
        hypothesis.settings.register_profile("checks", parent=PROFILE)
        hypothesis.settings.load_profile("checks")
        _fix_hypothesis_draws()
        _bound_tensor_texts()
        self._pytest(self._folders() if self.wanted is None else self.wanted)

    def _folders(self) -> list[str]:
        return [self.homework.public_checks, self.homework.hidden_checks]

    def _pytest(self, arguments: Sequence[str]) -> None:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.chdir(self.homework.root)
        root = str(self.homework.root)
        fixed = ["-c", os.devnull, "--rootdir", root, "--confcutdir", root, "--noconftest", "--import-mode=importlib"]
        # What pytest would say of a failure takes it 50 ms and nobody reads it; nor does anybody read logs.
        plain = ["--capture=no", "-q", "--strict-markers", "--assert=plain", "--tb=no"]
        without = [word for name in UNUSED for word in ("-p", f"no:{name}")]
        status = pytest.main([*fixed, *plain, *without, *arguments], plugins=[self])
        if self.problem is not None:
            raise self.problem
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise ConfigError(f"pytest ended with {pytest.ExitCode(status).name}: see its output above")

    # -- collection ------------------------------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marks that checks use."""
        for mark, meaning in MARKS.items():
            config.addinivalue_line("markers", f"{mark}: {meaning}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A check file that cannot be collected is the instructor's to mend."""
        if report.failed and self.problem is None:
            reason = str(report.longrepr).strip().splitlines()[-1].removeprefix("E ").strip()
            self.problem = ConfigError(f"the checks in {report.nodeid} cannot be collected: {reason}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Describe each check and order them as asked, else by question with public ones first."""
        try:
            for item in items:
                item.stash[CHECK] = self._describe(item)
                self._wrap_examples(item)
            self._expect_tiers_known(items)
        except ConfigError as error:
            self.problem = error
            items.clear()
            return
        if self.measure:
            items[:] = [item for item in items if "calibration" in _fixtures(item)]
        if self.wanted is None:
            order = {question.name: number for number, question in enumerate(self.homework.questions)}
            items.sort(key=lambda i: (order[i.stash[CHECK].question], VISIBILITIES.index(i.stash[CHECK].visibility)))
        else:
            place = {check: number for number, check in enumerate(self.wanted)}
            items.sort(key=lambda item: place[item.stash[CHECK].id])
        self.checks = [item.stash[CHECK] for item in items]

    def _expect_tiers_known(self, items: Sequence[pytest.Item]) -> None:
        names = {question.name for question in self.homework.questions}
        names |= {f"{item.stash[CHECK].question}::{item.name}" for item in items}
        if self.wanted is None and (unknown := self.homework.tiers.keys() - names):
            raise ConfigError(f"[tool.autograder.tiers]: there is no question or question::check {min(unknown)!r}")

    def _describe(self, item: pytest.Item) -> CheckInfo:
        name = item.path.stem.removeprefix("test_")
        question = self.homework.question(name).name
        title = (getattr(_function(item), "__doc__", None) or "").strip().partition("\n")[0]
        if not title:
            raise ConfigError(f"the check {item.nodeid} has no docstring; its first line is the title students see")
        public = self.homework.path(self.homework.public_checks) in item.path.parents
        try:
            visibility = self._tier(item, question, public) or _argument(item, "visibility", DEFAULT_TIER[public])
            points = float(_argument(item, "points", 1.0))
            self._limits(item)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"the check {item.nodeid} has a mark with a wrong argument: {error}") from error
        if visibility not in VISIBILITIES:
            raise ConfigError(f"the check {item.nodeid}: visibility is one of {', '.join(VISIBILITIES)}")
        kind = "cooperative" if item.get_closest_marker("cooperative") else "value"
        return CheckInfo(item.nodeid, question, title, points, visibility, kind)

    def _tier(self, item: pytest.Item, question: str, public: bool) -> str | None:
        """What the configuration says of a check, or of all hidden ones of its question."""
        own = self.homework.tiers.get(f"{question}::{item.name}")
        return own or (None if public else self.homework.tiers.get(question))

    def _wrap_examples(self, item: pytest.Item) -> None:
        """Seed before each Hypothesis example, keep the smallest failure, and stop shrinking within a budget."""
        handle = getattr(_function(item), "hypothesis", None)
        if handle is None or hasattr(handle.inner_test, "judged"):  # a parametrized check is several items
            return
        inner = handle.inner_test

        def again(*args: Any, **kwargs: Any) -> None:
            self.run.reseed()
            inner(*args, **kwargs)

        @functools.wraps(inner)
        def example(*args: Any, **kwargs: Any) -> Any:
            run = self.run
            if run.stop_at is not None and run.calls >= run.stop_at:
                raise _Enough
            run.reseed()
            try:
                return inner(*args, **kwargs)
            except hypothesis.errors.HypothesisException:
                raise
            except (Exception, pytest.fail.Exception) as error:
                drawn = {k: v for k, v in kwargs.items() if k not in _fixtures(item)}
                run.failed(error, drawn, functools.partial(again, *args, **kwargs))
                raise

        vars(example)["judged"] = True
        handle.inner_test = example

    # -- running ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run one check to its verdict."""
        assert self.code is not None
        check = item.stash[CHECK]
        self.emit({"event": "started", "check": check.id, "limits": self._limits(item).model_dump()})
        started = time.perf_counter()
        self.run = self._run(self.code)
        verdict = self.code.problem(self.homework.question(check.question))
        if verdict is None:
            try:
                verdict = self._verdict(item)
            except ConfigError as error:  # what pytest says of an error in a plugin would hide it
                self.problem = error
                raise
        said = self.run.explanation if verdict.outcome is Outcome.FAILED else None
        result = CheckResult(
            check,
            verdict.outcome,
            verdict.message if said is None else said.message,
            self.code.frames(verdict),
            self.run.output,
            round(time.perf_counter() - started, 4),
            self.run.calls,
            self.run.measured,
            **({} if said is None else said.details()),
        )
        self.emit({"event": "finished", "result": result})
        if result.outcome is Outcome.FAILED:
            self.failed.append(check.question)
        if self.stop and result.outcome is not Outcome.PASSED:
            item.session.shouldfail = "one check is enough"
        if result.outcome is Outcome.TIMED_OUT:
            self._defer(item)
        return True

    def _defer(self, item: pytest.Item) -> None:
        """Where the time for all checks is limited, one question's hangs must not use up that of the others."""
        self.hung[item.stash[CHECK].question] += 1
        items = item.session.items
        place = items.index(item) + 1
        items[place:] = sorted(items[place:], key=lambda later: self.hung[later.stash[CHECK].question] >= HANGS)

    def _run(self, code: Code) -> _Run:
        return _Run(code, self.seed, shrink=self.shrink)

    def _verdict(self, item: pytest.Item) -> Verdict:
        verdict = self._attempt(item)
        if verdict.outcome is Outcome.TIMED_OUT:
            self.emit({"event": "started", "check": item.stash[CHECK].id, "limits": self._limits(item).model_dump()})
            self.run = self._run(self.run.code)
            verdict = self._attempt(item)
        if verdict.certain:
            return verdict
        judged, self.run = self.run, self._run(solution(self.homework))
        of_solution = self._attempt(item)
        self.run = judged
        if of_solution.outcome is Outcome.PASSED:
            return verdict
        text = f"this check goes wrong with the solution too ({of_solution.outcome}: {of_solution.message})"
        return Verdict(Outcome.INTERNAL_ERROR, text)

    def _attempt(self, item: pytest.Item) -> Verdict:
        item.stash[RAISED] = []
        runtestprotocol(item, log=False, nextitem=None)  # whichever comes next: the order may change
        raised = item.stash[RAISED]
        for gone in raised:
            if isinstance(gone, ZygoteGone):  # the supervisor's business: another zygote, and this check again
                self.problem = gone
                raise gone
        return judge(self._failure(raised[0] if raised else None))

    def _failure(self, error: BaseException | None) -> BaseException | None:
        """What a check failed by: the smallest example's where shrinking was cut short."""
        failure = self.run.failure
        if failure is not None and not isinstance(error, (Exception, pytest.fail.Exception)):
            return failure  # by its budget, or by the worker's end
        return error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Keep what was raised itself: a report would only have its text. Explain it while its worker is there."""
        if call.excinfo is not None:
            item.stash[RAISED].append(call.excinfo.value)
            if call.when == "call" and self.shrink:
                self._explain(item, call.excinfo.value)
        return (yield)

    def _explain(self, item: pytest.Item, raised: BaseException) -> None:
        """Say why a check failed. Whatever goes wrong here costs the explanation, not the verdict."""
        error = self._failure(raised)
        verdict = judge(error)
        if error is None or verdict.outcome is not Outcome.FAILED:
            return
        provider = {name: question.name for name, question in self.homework.provider.items()}
        about: dict[str, Any] = {
            "cooperative": item.stash[CHECK].kind == "cooperative",
            "changed": self.run.session is not None and self.run.session.inputs_changed,
        }
        file, examples = str(item.path), self.run.examples

        def lost() -> None:
            print(f"{item.nodeid} cannot be explained:")
            traceback.print_exc()

        try:
            self.run.explanation = explain(error, verdict.message, file, provider, examples, **about, lost=lost)
        except (Exception, pytest.fail.Exception, pytest.skip.Exception, WorkerLost):
            lost()

    # -- what checks receive ---------------------------------------------------------------------------------------

    @pytest.fixture
    def hw(self, request: pytest.FixtureRequest) -> Iterator[RemoteSubject]:
        """The student's code, in a worker of its own."""
        run, check = self.run, request.node.stash[CHECK]
        modules = run.code.modules(self.homework.question(check.question))
        run.worker, run.session = self._begin(self._limits(request.node), modules)
        run.session.inputs_change = check.kind == "cooperative"
        try:
            provider = {name: provided.name for name, provided in self.homework.provider.items()}
            run.subject = RemoteSubject(run.session, provider, request.path.parent / "support")
            run.reseed()
            yield run.subject
        finally:
            run.output = run.worker.close()

    def _begin(self, limits: Limits, modules: dict[str, Any]) -> tuple[Worker, Session]:
        """Start a worker and send it the code; one that is lost before any of it ran is replaced, once.

        Raises:
            IsolationError: the other is lost too. No WorkerLost: pytest cannot end a fixture after a BaseException.
        """
        assert self.launcher is not None
        lost: WorkerLost | None = None
        for _ in range(2):
            worker = self.launcher.take(limits)
            session = Session(worker)
            try:
                session.call("load", modules)
                return worker, session
            except ZygoteGone:
                raise
            except WorkerLost as error:
                worker.close()
                lost = error
        raise IsolationError(f"a worker was lost before it ran anything: {lost}") from lost

    @pytest.fixture
    def reference(self) -> SimpleNamespace:
        """The solution's contract names, in the checks' own process."""
        return load_reference(self.homework)

    @pytest.fixture(name="homework")
    def homework_fixture(self) -> Homework:
        """The homework: its configuration, and where its files are."""
        return self.homework

    @pytest.fixture
    def calibration(self) -> calibrations.Calibration:
        """Thresholds that were measured on the solution."""
        return calibrations.Calibration(self.homework, self.run.measured, held=not self.measure)

    def _limits(self, item: pytest.Item) -> Limits:
        mark = item.get_closest_marker("limits")
        changed = dict(mark.kwargs) if mark else {}
        return Limits(**{**self.homework.limits.model_dump(), **changed})


PROFILE = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    phases=[
        phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain
    ],  # it would explain the engine
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)


def _fix_hypothesis_draws() -> None:
    """Keep Hypothesis from drawing constants that it finds in loaded modules.

    It collects them from modules outside site-packages, so that a check would draw otherwise when run alone, from an
    installed wheel, or beside other checks.
    """
    from hypothesis.internal.conjecture import providers

    empty = providers.Constants()
    providers._get_local_constants = lambda: empty


def _bound_tensor_texts() -> None:
    """Keep the text of a tensor that came from a worker short: of many small dimensions, torch writes every entry."""
    whole = torch.Tensor.__repr__

    def short(self: torch.Tensor, **options: Any) -> str:
        if self.dim() <= 3 or self.numel() <= MAX_ENTRIES_SHOWN:
            return whole(self, **options)
        return f"tensor(of shape {tuple(self.shape)}, dtype={self.dtype})"

    torch.Tensor.__repr__ = short  # type: ignore[method-assign, assignment]


def _argument(item: pytest.Item, name: str, default: Any) -> Any:
    """The one argument of a mark.

    Raises:
        ValueError: it has none, or more.
    """
    mark = item.get_closest_marker(name)
    if mark is None:
        return default
    if len(mark.args) != 1 or mark.kwargs:
        raise ValueError(f"{name} takes one argument")
    return mark.args[0]


def _function(item: pytest.Item) -> Any:
    return getattr(item, "obj", None)


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


def load_reference(homework: Homework) -> SimpleNamespace:
    """Import the solution's files in this process, as siblings, and return the contract's names."""
    folder = homework.path(homework.solutions)
    names = [question.name for question in homework.by_file.values()]
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        provided = {name: getattr(_import(question.name, folder), name) for name, question in homework.provider.items()}
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)
    return _Reference(**provided)


class _Reference(SimpleNamespace):
    """The solution's names; Hypothesis shows what a check received, and the student reads it."""

    def __repr__(self) -> str:
        return "reference"


def _import(name: str, folder: Path) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
