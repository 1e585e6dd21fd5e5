"""The handout: audited, the same byte for byte, and whole when it is unzipped elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import handout as handouts
from autograder.cli import app
from autograder.config import Homework, load_homework

ROOT = Path(__file__).resolve().parents[1]
MINI = Path(__file__).parent / "mini"


CONFTEST = '''"""Gives the tests the functions in this folder."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def hw():
    """All of them."""
    import cube
    import square

    return SimpleNamespace(square=square.square, cube=cube.cube)
'''


@pytest.fixture
def mini(tmp_path: Path) -> Homework:
    """A copy of the tiny homework, with what a handout needs besides."""
    root = tmp_path / "mini"
    shutil.copytree(MINI, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assignment" / "requirements.txt").write_text("torch\n", encoding="utf-8")
    (root / "assignment" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    return load_homework(root)


def test_the_tiny_homework_can_be_handed_out(mini):
    """Nothing falls short, and the zip holds the folder of the assignment, no more."""
    content, shortfalls = handouts.handout(mini)
    assert shortfalls == []
    path = mini.root / "hw.zip"
    path.write_bytes(content)
    names = zipfile.ZipFile(path).namelist()
    assert names == sorted(names)
    assert set(names) == {
        f"squares-and-cubes/{name}"
        for name in (
            "conftest.py",
            "cube.py",
            "questions.toml",
            "requirements.txt",
            "square.py",
            "tests/test_cube.py",
            "tests/test_square.py",
        )
    }


def test_it_is_the_same_byte_for_byte(mini):
    """Neither times nor modes nor what pytest leaves behind make a difference."""
    first, _ = handouts.handout(mini)
    for path in mini.path(mini.assignment).rglob("*.py"):
        os.utime(path, (time.time(), 1_000_000_000))
        path.chmod(0o600)
    (mini.path(mini.assignment) / "__pycache__").mkdir()
    (mini.path(mini.assignment) / "__pycache__" / "square.cpython-311.pyc").write_bytes(b"x")
    (mini.path(mini.assignment) / ".pytest_cache").mkdir()
    assert handouts.handout(mini)[0] == first


def solve(homework: Homework) -> None:
    """Put an answer where the stub belongs."""
    shutil.copyfile(homework.path("solutions/square.py"), homework.path("assignment/square.py"))


def leak(homework: Homework) -> None:
    """Write the answer into a document."""
    text = "```python\ndef cube(y):\n    return square(y) * y\n```\n"
    homework.path("assignment/README.md").write_text(text, encoding="utf-8")


def ask_too_much(homework: Homework) -> None:
    """Test for what the solution does not do."""
    with homework.path("assignment/tests/test_square.py").open("a", encoding="utf-8") as tests:
        tests.write('\n\ndef test_more(hw):\n    """More."""\n    assert hw.square(torch.tensor(2.0)).item() == 5\n')


def ask_nothing(homework: Homework) -> None:
    """Test for what the stubs do already."""
    with homework.path("assignment/tests/test_square.py").open("a", encoding="utf-8") as tests:
        tests.write('\n\ndef test_less():\n    """Less."""\n')


def forget_requirements(homework: Homework) -> None:
    """Do not say what to install."""
    homework.path("assignment/requirements.txt").unlink()


def grow(homework: Homework) -> None:
    """Add data that no learning platform takes."""
    homework.path("assignment/data.bin").write_bytes(os.urandom(3 << 20))


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (solve, "is out of step: run `autograder stubs`"),
        (leak, "README.md, line 2, shows solutions/"),
        (ask_too_much, "test_square::test_more fails on the solution"),
        (ask_nothing, "test_square::test_less passes on the stubs"),
        (forget_requirements, "nothing says what to install"),
        (grow, "it has 3 MB; at most 1 can be handed out"),
    ],
    ids=["solved", "leak", "wrong test", "empty test", "no requirements", "large"],
)
def test_what_keeps_it_from_being_handed_out(
    mini: Homework, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Homework], None], line: str
):
    """Each shortfall is a line; the command writes nothing then, and exits with 1."""
    monkeypatch.setattr(handouts, "MAX_MEGABYTES", 1)
    spoil(mini)
    out = mini.root / "hw.zip"
    done = CliRunner().invoke(app, ["handout", "-o", str(out), "--homework", str(mini.root)])
    assert line in done.output
    assert done.exit_code == 1
    assert not out.exists()


def test_the_homework_is_whole_elsewhere(tmp_path):
    """Unzipped, its tests run and fail; with the solution in it they pass, it trains, and it hands in."""
    made = subprocess.run(
        [Path(sys.executable).parent / "autograder", "handout", "-o", tmp_path / "hw.zip", "--homework", ROOT],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(tmp_path / "hw.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "introduction-to-pytorch"

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)

    assert run("-m", "pytest", "-x").returncode == 1
    assert "submit.py: " in run("submit.py").stderr
    for path in (ROOT / "solutions").glob("*.py"):
        shutil.copyfile(path, folder / path.name)
    tested = run("check.py", "linear", "sgd")
    assert tested.returncode == 0, tested.stdout
    trained = run("train.py", "--epochs", "1")
    assert trained.returncode == 0, trained.stderr
    assert (folder / "training.png").is_file()
    assert run("submit.py").returncode == 0
    assert (folder / "submission.zip").is_file()
