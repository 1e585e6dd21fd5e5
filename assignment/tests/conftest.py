"""Lets the checks in this folder see your files, and shows what they found.

`hw.Linear` in a check is the `Linear` of your linear.py. You need not read or change this file.
"""

import contextlib
import functools
import importlib
import importlib.util
import io
import random
import re
import sys
import tomllib
import traceback
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import HypothesisException
from torch.autograd.gradcheck import GradcheckError

TESTS = Path(__file__).resolve().parent
FOLDER = TESTS.parent  # where your files are
QUESTIONS = tomllib.loads((FOLDER / "questions.toml").read_text(encoding="utf-8"))["questions"]
NAMES = {name: entry["file"] for entry in QUESTIONS.values() for name in entry.get("names", ())}
sys.path.insert(0, str(FOLDER))  # your files import each other as they do in train.py


def load(name, path):
    """Load a module in this folder, or a package by its __init__.py."""
    spec = importlib.util.spec_from_file_location(name, TESTS / path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


load("homework_explain", "explain/__init__.py")
from homework_explain import explanation, feedback  # noqa: E402 only now is it there

settings.register_profile(
    "homework",
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    print_blob=False,
    max_examples=40,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("homework")


# -- your code, as checks see it ---------------------------------------------------------------------------------------


class CannotLoad(Exception):
    """One of your files is missing, does not load, or lacks a name; the message is one line."""


class Homework:
    """The names that the questions ask for, from your files."""

    def __getattr__(self, name):
        """Look the name up in the file of its question."""
        if name in NAMES:
            return name_from(NAMES[name], name)
        raise AttributeError(f"no question asks for the name {name!r}")

    def __repr__(self):
        """Say `hw`, as the checks do."""
        return "hw"

    def support(self, name):
        """The module tests/support/<name>.py: functions, layers and models to hand to your code."""
        return load(f"support_{name}", f"support/{name}.py")

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


# -- running -----------------------------------------------------------------------------------------------------------

EXAMPLES = pytest.StashKey()  # of a check: those of Hypothesis that failed


def pytest_collection_modifyitems(items):
    """Run the questions in the order of the homework."""
    order = {f"test_{question}": i for i, question in enumerate(QUESTIONS)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_itemcollected(item):
    """Watch Hypothesis' examples."""
    item.stash[EXAMPLES] = explanation.Examples()
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is not None:
        handle.inner_test = watched(handle.inner_test, item)


def watched(test, item):
    """The same test, on random numbers that repeat whichever example ran before; failing examples are noted."""

    def again(*args, **kwargs):
        Homework().seed(0)
        return test(*args, **kwargs)

    @functools.wraps(test)
    def run(*args, **kwargs):
        try:
            return again(*args, **kwargs)
        except HypothesisException:
            raise
        except (Exception, pytest.fail.Exception) as error:
            drawn = {name: value for name, value in kwargs.items() if name not in item.fixturenames}
            item.stash[EXAMPLES].failed(error, drawn, functools.partial(again, *args, **kwargs))
            raise

    return run


# -- what you read -----------------------------------------------------------------------------------------------------


class Text(str):
    """A text that pytest prints line by line: a letter that a console lacks then spoils one line, not all."""

    def toterminal(self, tw):
        """Print it."""
        for line in self.splitlines():
            tw.line(line)


def in_short(item, excinfo, output):
    """What to print about a failure: a line where that says it all, otherwise what grading says of it too."""
    if excinfo.errisinstance(CannotLoad):
        return str(excinfo.value)
    last = excinfo.traceback[-1]
    if excinfo.errisinstance(NotImplementedError) and is_yours(last) and "raise" in str(last.statement):
        return f"{last.path.name}:{last.lineno + 1}: not written yet ({last.frame.code.raw.co_qualname})"
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return explained(item, excinfo.value, output)  # your code may run once more
    except Exception:
        return str(excinfo.getrepr(style="short", tbfilter=lambda it: it.traceback.filter(is_yours) or it.traceback))


def explained(item, error, output):
    """Why a check failed."""
    frames = explanation.in_files(error, own_file)
    said = explanation.explain(
        error,
        in_words(error),
        str(item.path),
        {name: file.removesuffix(".py") for name, file in NAMES.items()},
        item.stash[EXAMPLES],
        cooperative=item.get_closest_marker("cooperative") is not None,
    )
    parts = {"message": said.message, **said.details()}
    return feedback.text(feedback.Feedback("FAILED", frames=frames, output=output, **parts))


def own_file(name):
    """The name of one of your files; None for any other file."""
    path = Path(name).resolve()
    return path.name if path.parent == FOLDER and path.is_file() else None


def in_words(error):
    """What an exception says, and whether it comes from your code or from what the check did with your results."""
    text = "\n".join([str(error), *getattr(error, "__notes__", ())]).strip()
    typed = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return "\n".join([text, *map(in_words, error.exceptions)])
    if explanation.in_files(error, own_file):
        return typed
    if isinstance(error, AssertionError | pytest.fail.Exception | GradcheckError | HypothesisException):
        return text or traceback.extract_tb(error.__traceback__)[-1].line
    about_yours = re.search(rf"\b({'|'.join(NAMES)})(Backward)?\b", text)  # Linear.__init__() missing 1 required ...
    return typed if about_yours else f"the check could not use what your code gave it: {typed}"


RESULTS = {}  # question -> (points, passed) of each of its checks that has run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Cut a failure down to what helps, and count the check."""
    question = item.path.stem.removeprefix("test_")
    report = yield
    if report.failed:
        if item.config.getoption("tbstyle") == "short":  # --tb=long shows everything
            report.longrepr = Text(in_short(item, call.excinfo, report.capstdout + report.capstderr))
            report.sections = [part for part in report.sections if not part[0].startswith("Captured std")]
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
        write(f"Look at next: {unfinished[0]}. To run its checks alone: python check.py {unfinished[0]}")
