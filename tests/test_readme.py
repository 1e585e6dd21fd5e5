"""Every command that the README shows is run, here or by the test that is named here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.test_handout import CONFTEST

ROOT = Path(__file__).parents[1]
AUTOGRADER = Path(sys.executable).parent / "autograder"

# Commands that run elsewhere: what runs them.
ELSEWHERE = {
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "pytest": "tests/test_public_checks.py",
    "python train.py": "tests/test_assignment_scripts.py",
    "python submit.py": "tests/test_assignment_scripts.py",
    "python check.py linear": "tests/test_check_script.py",
}


def commands(file: str) -> list[str]:
    """The commands in a document's code blocks, without their comments."""
    text = (ROOT / file).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    starts = ("make ", "pytest", "python ", ".venv/bin/", "autograder ", "otter ", "docker ")
    return [line for line in lines if line.startswith(starts)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, so that commands may write, with the questions that are quick to grade."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("assignment", "solutions", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    (folder / "autograder").mkdir()
    shutil.copytree(ROOT / "autograder" / "checks", folder / "autograder" / "checks")
    return folder


def test_every_command_is_known():
    """A command that is neither run below nor elsewhere is a promise that nobody keeps."""
    unknown = [c for c in commands("README.md") if c not in ELSEWHERE and not c.startswith(".venv/bin/autograder ")]
    assert unknown == []
    assert len(commands("README.md")) >= 8


def test_what_runs_elsewhere_does():
    """Each file that is said to run a command exists and names it."""
    for command, file in ELSEWHERE.items():
        assert command.split()[-1] in (ROOT / file).read_text(encoding="utf-8"), command


@pytest.mark.parametrize("command", [c for c in commands("README.md") if c.startswith(".venv/bin/autograder ")])
def test_command_runs(command: str, project: Path):
    """The command ends with status 0; calibration with fewer seeds, validation with parts that others do not test."""
    arguments = command.split()[1:]
    if arguments[0] == "calibrate":
        arguments += ["--seeds", "3"]
    if arguments[0] == "validate":
        arguments += ["--only", "leaks", "--only", "bans"]
    done = subprocess.run([AUTOGRADER, *arguments], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


GUIDE = "autograder/README.md"
GUIDE_ELSEWHERE = {
    "autograder validate --quick": "README.md",
    "autograder bundle docker": "tests/containers/run.py",
    "autograder grade submissions -o out --isolation container": "tests/containers/test_grade.py",
    "docker run": "tests/containers/test_grade.py",
    "autograder grade submissions -o out --scheduler": "tests/test_cluster.py",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny homework, with what a handout needs and with submissions; commands may write into it."""
    root = tmp_path_factory.mktemp("course") / "mini"
    shutil.copytree(ROOT / "tests" / "mini", root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assignment" / "requirements.txt").write_text("torch\n", encoding="utf-8")
    (root / "assignment" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    with zipfile.ZipFile(root / "submission.zip", "w") as archive:
        for name in ("square.py", "cube.py"):
            archive.write(root / "solutions" / name, name)
    for student in ("alice", "bob"):
        shutil.copytree(root / "solutions", root / "submissions" / student, ignore=shutil.ignore_patterns("*ants"))
    return root


def guide_commands() -> list[str]:
    """The guide's commands, those apart that are run elsewhere."""
    return [c for c in commands(GUIDE) if not c.startswith(tuple(GUIDE_ELSEWHERE))]


def test_what_the_guide_says_runs_elsewhere_does():
    """Each such command is in the guide, and in the file that is said to run it."""
    for command, file in GUIDE_ELSEWHERE.items():
        assert any(line.startswith(command) for line in commands(GUIDE)), command
        arguments = command.split()[1:]
        assert all(word in (ROOT / file).read_text(encoding="utf-8") for word in arguments if word != "out"), command


@pytest.mark.parametrize("command", guide_commands())
def test_a_command_of_the_guide(command: str, course: Path):
    """In the order of the guide, on the tiny homework: each ends with status 0."""
    program, *arguments = command.split()
    if program == "otter" or "otter" in arguments:
        pytest.importorskip("otter", reason="otter-grader is not installed")
    path = AUTOGRADER.parent / program
    environment = {**os.environ, "PATH": f"{AUTOGRADER.parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([path, *arguments], cwd=course, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_makefile_has_the_targets():
    """The two commands of the README are targets of the Makefile, and CI runs both."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        assert f"make {target}" in run


def test_constraints_pin_what_the_project_needs():
    """Every dependency has a pin in constraints.txt that its lower bound allows."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*table["dependencies"], *(r for group in table["optional-dependencies"].values() for r in group)]
    pins = dict(
        line.lower().split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    for requirement in wanted:
        name, _, bound = requirement.partition(">=")
        name = name.partition("[")[0]  # without extras
        if name == table["name"]:
            continue
        version = [int(part) for part in pins[name.lower()].split(".")[:2]]
        assert version >= [int(part) for part in bound.split(".")[:2]], requirement
