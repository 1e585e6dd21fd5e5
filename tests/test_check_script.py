"""check.py, which students run: some questions or all, and again when a file is saved."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.test_public_checks import ASSIGNMENT, QUESTIONS, ROOT, copy_handout

SECONDS = 120  # until something that must come has come


def environment(folder: Path, *missing: str) -> dict[str, str]:
    """A student's, with a console that cannot print all of Unicode, and without some packages."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    lacking = folder / "-".join(("lacking", *missing))  # one each: Python keeps what it compiled of another
    lacking.mkdir(exist_ok=True)
    lines = [f"sys.modules[{name!r}] = None" for name in ("autograder", *missing)]
    (lacking / "sitecustomize.py").write_text("\n".join(["import sys", *lines]), encoding="utf-8")
    return {**found, "PYTHONPATH": str(lacking), "PYTHONIOENCODING": "cp1252:strict", "OMP_NUM_THREADS": "1"}


def check(folder: Path, *arguments: str, missing: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run check.py from the folder above."""
    return subprocess.run(
        [sys.executable, folder / "check.py", *arguments],
        cwd=folder.parent,
        env=environment(folder, *missing),
        capture_output=True,
        encoding="cp1252",
        timeout=SECONDS,
    )


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handout with two mistakes in it; tests leave it as it is."""
    return copy_handout(tmp_path_factory.mktemp("check") / "my homework", "relu/leaky", "sgd/ascent")


def test_chosen_questions(wrong: Path) -> None:
    """Questions, by name or by file, are run in the order of the homework; the first one that fails comes next."""
    done = check(wrong, "sgd.py", "relu", "sequential")
    assert (done.returncode, done.stderr) == (1, "")
    assert re.findall(r"^tests.test_(\w+)\.py", done.stdout, re.MULTILINE) == ["relu", "sequential", "sgd"]
    assert "Negative numbers must become 0, the others must stay.\n\nWhat came, and what was expected:" in done.stdout
    assert re.search(r"^sequential +3 of 3 +5\.0 of 5$", done.stdout, re.MULTILINE)
    assert "Look at next: relu. To run its checks alone: python check.py relu" in done.stdout


def test_all_pass(wrong: Path) -> None:
    """The exit status is 0 where no check fails, and there is nothing to look at next."""
    done = check(wrong, "sequential")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Look at next" not in done.stdout


def test_all_questions_up_to_the_first_failure(wrong: Path) -> None:
    """Without a name all questions are run; --first ends that at the first failure."""
    done = check(wrong, "--first")
    assert done.returncode == 1
    found = re.findall(r"^tests.test_(\w+)\.py", done.stdout, re.MULTILINE)
    assert found == list(QUESTIONS)[: len(found)] and found[-1] == "relu"
    assert done.stdout.count("To see it for yourself") == 1


def test_help_is_quick(wrong: Path) -> None:
    """--help says what there is, and loads neither torch nor pytest."""
    command = [sys.executable, "-X", "importtime", "check.py", "--help"]
    done = subprocess.run(command, cwd=wrong, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("QUESTION", "--watch", "--first", "Ctrl-C", "python check.py linear"))
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in loaded and not loaded & {"torch", "numpy", "pytest", "hypothesis", "watchfiles"}


@pytest.mark.parametrize(
    ("arguments", "missing", "line"),
    [
        (["relu", "lin"], (), f"there is no question lin; the questions are {', '.join(QUESTIONS)}"),
        (["relu"], ("hypothesis",), "hypothesis is not installed: pip install -r requirements.txt"),
        (["--watch"], ("watchfiles",), "--watch needs the package watchfiles: pip install watchfiles"),
    ],
)
def test_what_cannot_be_run_is_one_line(wrong: Path, arguments: list[str], missing: tuple[str, ...], line: str) -> None:
    """A name that no question has, or a package that is not there, is said in a line; the exit status is 2."""
    done = check(wrong, *arguments, missing=missing)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"check.py: {line}\n")


@pytest.fixture
def script(wrong: Path) -> ModuleType:
    """The module check.py."""
    spec = importlib.util.spec_from_file_location("homework_check", wrong / "check.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_commands_of_the_readme(script: ModuleType) -> None:
    """Each command that the README of the handout shows is one that check.py takes."""
    readme = (ASSIGNMENT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?:^|`)python check\.py(.*?)(?: {3,}.*|`.*)?$", readme, re.MULTILINE)
    assert len(commands) == 4 + len(QUESTIONS)
    for command in commands:
        assert {*script.parse(command.split()).questions} <= QUESTIONS.keys()


def test_what_a_question_needs(script: ModuleType, tmp_path: Path) -> None:
    """Its own file, what that imports, and of a question without a file what its checks name; helpers, too."""
    script.FOLDER = copy_handout(tmp_path / "homework")
    source = (script.FOLDER / "relu.py").read_text(encoding="utf-8")
    (script.FOLDER / "relu.py").write_text(f"import my_helper\n{source}", encoding="utf-8")
    (script.FOLDER / "sgd.py").write_text("def (:\n", encoding="utf-8")
    needed = {question: script.needed_by(question, QUESTIONS) for question in QUESTIONS}

    assert {name for name, modules in needed.items() if "my_helper" in modules} == {"relu", "two_layer_nn", "mnist"}
    assert {name for name, modules in needed.items() if "linear" in modules} == {"linear", "two_layer_nn", "mnist"}
    assert {name for name, modules in needed.items() if "sgd" in modules} == {"sgd", "mnist"}
    assert all(name in modules for name, modules in needed.items() if name != "mnist")


# -- --watch -----------------------------------------------------------------------------------------------------------

Watched = tuple[Path, subprocess.Popen[Any], Callable[[int], str]]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A handout, check.py --watch on it, and what waits until that waits for the n-th time and gives its output."""
    pytest.importorskip("watchfiles", reason="watchfiles is not installed")
    folder, log = copy_handout(tmp_path / "my homework"), tmp_path / "log"
    command = [sys.executable, folder / "check.py", "--watch", "relu", "sequential", "two_layer_nn"]
    heard = {} if sys.platform == "win32" else {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment(folder), stdout=output, stderr=subprocess.STDOUT, **heard
        )

    def waits(times: int) -> str:
        end = time.monotonic() + SECONDS
        while (text := log.read_text(encoding="cp1252")).count("Save a file to check it again") < times:
            assert process.poll() is None and time.monotonic() < end, text
            time.sleep(0.05)
        return text.split("Save a file to check it again; Ctrl-C ends this.")[times - 1]

    yield folder, process, waits
    if process.poll() is None:
        process.kill()
    process.wait()


def questions_run(text: str) -> list[str]:
    """The questions whose checks have run."""
    return re.findall(r"^tests.test_(\w+)\.py", text, re.MULTILINE)


def test_watch(watched: Watched) -> None:
    """It runs all that is asked for, then what needs the file that was saved, as it is now; Ctrl-C ends it."""
    folder, process, waits = watched
    text = waits(1)
    assert questions_run(text) == ["relu", "two_layer_nn", "sequential"] and "Look at next" not in text

    (folder / "notes.txt").write_text("not a module", encoding="utf-8")
    shutil.copy(ROOT / "solutions" / "mutants" / "relu" / "leaky.py", folder / "relu.py")
    text = waits(2)
    assert questions_run(text) == ["relu", "two_layer_nn"] and "Look at next: relu." in text

    shutil.copy(ASSIGNMENT / "sequential.py", folder / "new.py")  # as an editor does that writes to another file first
    os.replace(folder / "new.py", folder / "sequential.py")
    text = waits(3)
    assert questions_run(text) == ["sequential"] and "not written yet (Sequential.__init__)" in text

    if sys.platform != "win32":
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
        assert "Traceback" not in (folder.parent / "log").read_text(encoding="cp1252")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a process alone")
def test_interrupted_in_a_run(watched: Watched) -> None:
    """Ctrl-C while checks run ends these, too, without a traceback of check.py."""
    folder, process, _ = watched
    end = time.monotonic() + SECONDS
    while "test session starts" not in (folder.parent / "log").read_text(encoding="cp1252"):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert "Traceback" not in (folder.parent / "log").read_text(encoding="cp1252")
