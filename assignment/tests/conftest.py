"""Lets the checks in this folder see your files, and shows what they found.

`hw.Linear` in a check is the `Linear` of your linear.py. You need not read or change this file.
"""

import functools
import importlib
import importlib.util
import random
import sys
import tomllib
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import HealthCheck, Phase, settings

TESTS = Path(__file__).resolve().parent
FOLDER = TESTS.parent  # where your files are
QUESTIONS = tomllib.loads((FOLDER / "questions.toml").read_text(encoding="utf-8"))["questions"]
sys.path.insert(0, str(FOLDER))  # your files import each other as they do in train.py

settings.register_profile(
    "homework",
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    max_examples=50,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("homework")


class CannotLoad(Exception):
    """One of your files is missing, does not load, or lacks a name; the message is one line."""


class Homework:
    """The names that the questions ask for, from your files."""

    def __getattr__(self, name):
        """Look the name up in the file of its question."""
        for question in QUESTIONS.values():
            if name in question.get("names", ()):
                return name_from(question["file"], name)
        raise AttributeError(f"no question asks for the name {name!r}")

    def __repr__(self):
        """Say `hw`, as the checks do."""
        return "hw"

    def support(self, name):
        """The module tests/support/<name>.py: functions, layers and models to hand to your code."""
        spec = importlib.util.spec_from_file_location(f"support_{name}", TESTS / "support" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def put(self, value):
        """The value itself. (In grading, your code runs in another process, and this sends it there once.)"""
        return value

    def seed(self, n):
        """Make random numbers repeat."""
        random.seed(n)
        numpy.random.seed(n)
        torch.manual_seed(n)


@pytest.fixture
def hw():
    """Your code, as checks see it."""
    homework = Homework()
    homework.seed(0)
    return homework


def pytest_itemcollected(item):
    """Seed before each of Hypothesis' examples, so that each gives the same whichever ran before it."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is not None:
        handle.inner_test = seeded(handle.inner_test)


def seeded(test):
    """The same test, on random numbers that repeat."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        Homework().seed(0)
        return test(*args, **kwargs)

    return run


def name_from(file, name):
    """A name from one of your files.

    Raises:
        CannotLoad: it is not there, with the reason.
    """
    if not (FOLDER / file).is_file():
        raise CannotLoad(f"{file}: there is no such file in {FOLDER}")
    try:
        module = importlib.import_module(file.removesuffix(".py"))
    except (Exception, SystemExit) as error:
        where, line = file, 1
        for entry in pytest.ExceptionInfo.from_exception(error).traceback.filter(is_yours):
            where, line = entry.path.name, entry.lineno + 1
        if isinstance(error, SyntaxError) and error.filename:
            where, line = Path(error.filename).name, error.lineno
        reason = getattr(error, "msg", None) or str(error)
        raise CannotLoad(f"{where}:{line}: {type(error).__name__}: {reason}") from None
    if not hasattr(module, name):
        raise CannotLoad(f"{file}: there is no {name} in it")
    return getattr(module, name)


def is_yours(entry):
    """Whether a step of a traceback is in your files or in a check, not in a library or in this file."""
    if not isinstance(entry.path, Path) or str(entry.statement).lstrip().startswith("def "):
        return False  # code without a file, and the frame that Hypothesis puts around a check
    path = entry.path.resolve()
    return FOLDER in path.parents and "site-packages" not in path.parts and path.name != "conftest.py"


def your_steps(excinfo):
    """The traceback without other people's steps."""
    return excinfo.traceback.filter(is_yours) or excinfo.traceback


def in_short(excinfo):
    """What to print about a failure: a line where that says it all, otherwise a short traceback."""
    if excinfo.errisinstance(CannotLoad):
        return str(excinfo.value)
    last = excinfo.traceback[-1]
    if excinfo.errisinstance(NotImplementedError) and is_yours(last) and "raise" in str(last.statement):
        return f"{last.path.name}:{last.lineno + 1}: not written yet ({last.frame.code.raw.co_qualname})"
    return excinfo.getrepr(style="short", tbfilter=your_steps)


def pytest_collection_modifyitems(items):
    """Run the questions in the order of the homework."""
    order = {f"test_{question}": i for i, question in enumerate(QUESTIONS)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


RESULTS = {}  # question -> (points, passed) of each of its checks that has run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Cut a failure down to what helps, and count the check."""
    question = item.path.stem.removeprefix("test_")
    report = yield
    if report.failed:
        if item.config.getoption("tbstyle") == "short":  # --tb=long shows everything
            report.longrepr = in_short(call.excinfo)
        title = (getattr(item.obj, "__doc__", None) or item.name).strip().partition("\n")[0]
        report.location = (*report.location[:2], f"{question}: {title}")  # the headline of the failure
    if question in QUESTIONS and (report.when == "call" or (report.when == "setup" and not report.passed)):
        mark = item.get_closest_marker("points")
        RESULTS.setdefault(question, []).append((mark.args[0] if mark else 1, report.passed))
    return report


def pytest_terminal_summary(terminalreporter):
    """Print the table: question, checks passed, points."""
    if not RESULTS:
        return
    write = terminalreporter.write_line
    terminalreporter.section("your homework")
    write(f"{'question':<20}{'checks passed':>14}{'points':>16}")
    earned_in_all = possible_in_all = 0
    unfinished = []
    for question in (name for name in QUESTIONS if name in RESULTS):
        checks, possible = RESULTS[question], QUESTIONS[question]["points"]
        passed = sum(ok for _, ok in checks)
        earned = possible * sum(points for points, ok in checks if ok) / sum(points for points, _ in checks)
        write(f"{question:<20}{f'{passed} of {len(checks)}':>14}{f'{earned:.1f} of {possible:g}':>16}")
        earned_in_all += earned
        possible_in_all += possible
        if passed < len(checks):
            unfinished.append(question)
    write(f"{'total':<34}{f'{earned_in_all:.1f} of {possible_in_all:g}':>16}")
    write("")
    write("This counts the public checks that ran just now.")
    write("Grading adds hidden checks, so your final score may differ.")
    if unfinished:
        write(f"Look at next: {unfinished[0]}. To run its checks alone: pytest -k {unfinished[0]}")
