"""The command line: help, exit status, one-line errors, and what `grade` prints and writes; on a tiny homework."""

from __future__ import annotations

import functools
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from autograder import __version__, cli

MINI = Path(__file__).parent / "mini"
HEAVY = ("torch", "numpy", "hypothesis", "pytest", "_pytest", "libcst", "matplotlib", "pydantic")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch, capsys) -> Run:
    """Run the command line as its entry point does; returns exit status, output and error output."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["autograder", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        out, err = capsys.readouterr()
        return int(exit.value.code or 0), out, err

    return run


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the tiny homework."""
    shutil.copytree(MINI, tmp_path / "mini", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "mini"


def results(out: Path, name: str) -> dict:
    """What `grade` wrote for a submission."""
    return json.loads((out / name / "results.json").read_text(encoding="utf-8"))


# -- help ----------------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy():
    """`autograder --help` is quick: it loads neither torch nor anything else that takes its time."""
    code = "\n".join(
        [
            "import atexit, sys",
            "from autograder import cli",
            "atexit.register(lambda: print('loaded:', *sys.modules))",
            "sys.argv = ['autograder', '--help']",
            "cli.main()",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, loaded = done.stdout.rpartition("loaded:")
    assert "grade" in text and "doctor" in text
    assert not set(HEAVY) & set(loaded.split())


def test_windows_is_refused_in_one_line(run, monkeypatch):
    """The engine forks; where nothing can, whoever tries is told what to do."""
    monkeypatch.setattr(sys, "platform", "win32")
    status, _, err = run("grade", "anything", "-o", "anywhere")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "WSL 2" in err


def test_every_command_is_documented(run):
    """Each command has a text of its own, and each of its arguments and options has one."""
    commands = typer.main.get_command(cli.app).commands
    assert set(commands) >= {"grade", "demo", "stubs", "calibrate", "doctor"}
    status, listed, _ = run("--help")
    assert status == 0
    for name, command in commands.items():
        assert name in listed
        assert command.help and command.help.endswith(".")
        status, text, _ = run(name, "--help")
        assert status == 0
        for parameter in command.params:
            if parameter.name != "help":
                assert parameter.help, f"{name} {parameter.name}"
                assert parameter.opts[-1] in text


def test_version(run):
    """`--version` prints the version and nothing else."""
    assert run("--version") == (0, f"{__version__}\n", "")


# -- grade ---------------------------------------------------------------------------------------------------


def test_grade_one_submission(run, tmp_path):
    """A table on the terminal, a file of results that only its owner can read, and status 0."""
    out = tmp_path / "out"
    status, table, err = run("grade", MINI / "solutions", "-o", out, "--homework", MINI, "--isolation", "none")
    assert status == 0
    for row in (
        ["square", "9/9", "10/10"],
        ["cube", "3/3", "10/10"],
        ["both", "1/1", "5/5"],
        ["all", "13/13", "25/25"],
    ):
        assert row in [line.split()[:3] for line in table.splitlines()]
    assert f"results: {out / 'solutions'}/results.json" in table.replace("\n", "")
    assert err.startswith("solutions: 25/25 (")
    file = out / "solutions/results.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = results(out, "solutions")
    assert (found["score"], found["max_score"], len(found["tests"])) == (25, 25, 13)
    assert found["extra_data"]["isolation"]["mode"] == "none"


def test_grade_some_questions(run, tmp_path):
    """`--question` restricts the checks and the maximum."""
    arguments = ["--question", "cube", "--question", "both", "--homework", MINI, "--isolation", "none"]
    status, table, _ = run("grade", MINI / "solutions/cube.py", "-o", tmp_path, *arguments)
    assert status == 0
    assert "square" not in [line.split()[0] for line in table.splitlines() if line.split()]
    found = results(tmp_path, "cube")
    assert (found["score"], found["max_score"]) == (10, 15)  # `both` lacks square.py


def test_grade_a_class(run, tmp_path):
    """A broken zip among others counts zero, and says why; the others are graded as if it were not there."""
    folder = tmp_path / "class"
    shutil.copytree(MINI / "solutions", folder / "ada")
    shutil.copytree(MINI / "assignment", folder / "ben", ignore=shutil.ignore_patterns("tests", "*.toml"))
    shutil.make_archive(str(folder / "cleo"), "zip", MINI / "solutions")
    (folder / "dan.zip").write_bytes(b"PK\x03\x04 not much of a zip")
    status, table, err = run("grade", folder, "-o", tmp_path / "out", "--homework", MINI)
    assert status == 0
    scores = {name: results(tmp_path / "out", name)["score"] for name in ("ada", "ben", "cleo", "dan")}
    assert scores == {"ada": 25, "ben": 0, "cleo": 25, "dan": 0}
    assert sorted(line.partition(" (")[0] for line in err.splitlines()) == [
        "ada: 25/25",
        "ben: 0/25",
        "cleo: 25/25",
        "dan: 0/25",
    ]
    rows = [line.split()[:2] for line in table.splitlines()]
    assert [row for row in rows if row[:1] in [["ada"], ["ben"], ["cleo"], ["dan"]]] == [
        ["ada", "25"],
        ["ben", "0"],
        ["cleo", "25"],
        ["dan", "0"],
    ]
    broken = results(tmp_path / "out", "dan")
    assert "dan.zip: not a zip that can be read" in broken["output"]
    public = [test for test in broken["tests"] if "id" in test["extra_data"]]
    assert len(public) == 2
    assert all("dan.zip: not a zip that can be read" in test["output"] for test in public)


def test_an_internal_error_withholds_the_score(run, tmp_path):
    """Status 3, the checks concerned on the error output, no score in the results."""
    status, table, err = run("grade", MINI / "odd/solutions", "-o", tmp_path, "--homework", MINI / "odd")
    assert status == 3
    assert "withheld" in table
    assert "test_has_a_mistake: this check goes wrong with the solution too" in " ".join(err.split())
    assert "7 checks ended in INTERNAL_ERROR" in err
    found = results(tmp_path, "solutions")
    assert "score" not in found
    assert all("score" not in test for test in found["tests"])
    assert "not your fault" in found["output"]


# -- attempts ------------------------------------------------------------------------------------------------


@pytest.fixture
def export(tmp_path) -> Path:
    """Canvas' zip of a class: one student with two attempts, the first of which is the better, and a broken zip."""
    attempts = {5: MINI / "solutions", 6: MINI / "assignment"}
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        for number, folder in attempts.items():
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as one:
                for file in ("square.py", "cube.py"):
                    one.write(folder / file, file)
            archive.writestr(f"lovelaceada_1_{number}_hw.zip", inner.getvalue())
        archive.writestr("bo_LATE_2_7_hw.zip", b"PK not much")
    return tmp_path / "submissions.zip"


def test_list_shows_who_handed_in_what(run, export):
    """Nothing is graded, nothing need be named for results, and a pipe gets whole lines."""
    status, table, err = run("grade", export, "--list", "--homework", MINI)
    assert (status, err) == (0, "")
    rows = {line.split()[0]: line for line in table.splitlines() if line.strip()}
    assert rows["bo_2"].split()[:5] == ["bo_2", "bo", "1", "late", "yes"]
    assert "bo_LATE_2_7_hw.zip: not a zip that can be read" in rows["bo_2"]
    assert rows["lovelaceada_1"].split()[:4] == ["lovelaceada_1", "lovelaceada", "1", "no"]
    assert rows["lovelaceada_1-2"].split()[:4] == ["lovelaceada_1-2", "lovelaceada", "2", "yes"]
    assert "3 attempts of 2 students or groups; 2 would be graded" in table


@pytest.mark.parametrize(("choice", "graded", "score"), [("latest", 2, "0"), ("best", 3, "25")])
def test_which_attempt_counts(run, export, tmp_path, choice, graded, score):
    """The last, or the best of all."""
    arguments = ["-o", tmp_path / "out", "--attempt", choice, "--homework", MINI, "--isolation", "none"]
    status, table, err = run("grade", export, *arguments)
    assert status == 0
    assert len(list((tmp_path / "out").glob("*/results.json"))) == graded
    rows = [line.split()[:2] for line in table.splitlines() if line.split("_")[0].strip() in ("lovelaceada", "bo")]
    assert rows == [["bo_2", "0"], ["lovelaceada_1" + ("-2" if choice == "latest" else ""), score]]
    assert ("1 do not count" in err) == (choice == "latest")


# -- errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["solutions", "-o", "out", "--homework", "empty"], "no pyproject.toml with [tool.autograder] in "),
        (["solutions", "-o", "out", "--homework", "broken"], "not valid TOML"),
        (["solutions", "-o", "out", "--homework", "wrong"], "there is no question 'circle'|questions"),
        (["no/such/file", "-o", "out"], "no/such/file"),
        (["solutions"], "-o DIR"),
        (["solutions", "-o", "out", "--question", "circle"], "there is no question 'circle'; the questions are square"),
        (["solutions", "-o", "file/out", "--question", "both"], "the results cannot be written to file/out"),
    ],
    ids=["no-homework", "no-toml", "wrong-toml", "no-submission", "no-place", "no-question", "no-output"],
)
def test_a_users_error_is_one_line(run, copy, monkeypatch, arguments, message):
    """Status 2, and one line that says what was wrong."""
    monkeypatch.chdir(copy)
    for name, text in {
        "empty": None,
        "broken": "[tool",
        "wrong": "[tool.autograder]\ntitle = 'T'\nquestions = 1\n",
    }.items():
        (copy / name).mkdir()
        if text is not None:
            (copy / name / "pyproject.toml").write_text(text, encoding="utf-8")
    (copy / "file").write_text("", encoding="utf-8")
    status, out, err = run("grade", *arguments, "--isolation", "none")
    assert (status, out) == (2, "")
    (line,) = [line for line in err.splitlines() if not line.startswith("solutions: ")]
    assert line.startswith("error: ")
    assert any(words in line for words in message.split("|"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grade", "solutions", "-o", "out", "--isolation", "prayer"], "'prayer' is not one of"),
        (["grade", "-o", "out"], "Missing argument"),
        (["grade", "solutions"], "error: Missing option '-o DIR'"),
        (["grades"], "No such command 'grades'"),
        (["demo"], "the homework has no [[tool.autograder.demo]]"),
    ],
    ids=["isolation", "no-argument", "no-output", "no-command", "no-demo"],
)
def test_wrong_usage_says_so(run, copy, monkeypatch, arguments, message):
    """Status 2, and no traceback."""
    monkeypatch.chdir(copy)
    status, _, err = run(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err


def test_a_wrong_check_is_an_error_of_one_line(run, copy, tmp_path):
    """What is wrong with a check file reaches the instructor as one line."""
    (copy / "checks/test_both.py").write_text("def test_a(hw):\n    pass\n", encoding="utf-8")
    status, _, err = run("grade", copy / "solutions", "-o", tmp_path / "out", "--homework", copy, "--isolation", "none")
    assert status == 2
    assert err.startswith("error: the check checks/test_both.py::test_a has no docstring")
    assert len(err.splitlines()) == 1


# -- the other commands --------------------------------------------------------------------------------------


def test_stubs_are_checked_and_written(run, copy):
    """`--check` tells what is out of step with status 1 and writes nothing; without it, the files are written."""
    assert run("stubs", "--check", "--homework", copy)[:2] == (0, "the assignment is in step with the solution\n")
    stub = copy / "assignment/square.py"
    before = stub.read_text(encoding="utf-8")
    stub.write_text("# mine\n", encoding="utf-8")
    status, out, _ = run("stubs", "--check", "--homework", copy)
    assert (status, "out of step:" in out, stub.read_text(encoding="utf-8")) == (1, True, "# mine\n")
    status, out, _ = run("stubs", "--homework", copy)
    assert (status, "written:" in out, stub.read_text(encoding="utf-8")) == (0, True, before)


def test_doctor_says_what_there_is(run):
    """Versions, isolation and the number of checks."""
    status, out, _ = run("doctor", "--homework", MINI)
    assert status == 0
    assert "Squares and cubes" in out
    assert "torch: " in out
    assert "isolation: " in out
    assert "checks: 13" in out


@pytest.mark.parametrize("processes", [1, 2], ids=["starting", "started"])
def test_an_interrupted_command_says_no_more_than_that(tmp_path, processes):
    """Ctrl-C ends with status 130 and without a traceback, whichever of our processes there are."""
    hangs = tmp_path / "square.py"
    hangs.write_text("import time\ntime.sleep(1000)\n", encoding="utf-8")
    command = [sys.executable, "-m", "autograder.cli", "grade", str(hangs), "-o", str(tmp_path / "out")]
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
    command += ["--homework", str(MINI)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard) as process:
        pid = process.pid
        for _ in range(processes):  # the grader, then its zygote
            while not (children := Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()):
                time.sleep(0.01)
            pid = int(children[0])
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err in ("", "interrupted\n")
