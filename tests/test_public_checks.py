"""The public checks as a student runs them: plain pytest in a copy of the handout, without the engine."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = ROOT / "assignment"
QUESTIONS = tomllib.loads((ASSIGNMENT / "questions.toml").read_text(encoding="utf-8"))["questions"]
CHECKS = {question: ASSIGNMENT / "tests" / f"test_{question}.py" for question in QUESTIONS}

# What the handout does not ask students to install is not there: importing it fails.
WITHOUT_ENGINE = """
import sys
for name in ("autograder", "jinja2", "libcst", "pydantic", "rich", "typer"):
    sys.modules[name] = None
"""


@dataclass(frozen=True)
class Run:
    """What a run of pytest printed, each check's question, name and whether it passed, and what was said of it."""

    text: str
    checks: tuple[tuple[str, str, bool], ...]
    said: dict[tuple[str, str], str]  # of each that did not pass

    def failing(self) -> set[str]:
        """The questions with a check that did not pass."""
        return {question for question, _, passed in self.checks if not passed}

    def points(self, row: str) -> tuple[float, float]:
        """The points earned and possible, from a row of the table."""
        found = re.search(rf"^{row} .*?([\d.]+) of ([\d.]+)$", self.text, re.MULTILINE)
        assert found, f"no row {row!r} in the table:\n{self.text}"
        return float(found[1]), float(found[2])


def run_pytest(cwd: Path, *arguments: str) -> Run:
    """Run pytest on a copy of the handout, with a console that cannot print all of Unicode."""
    plugin, report = cwd / "plugin", cwd / "report.xml"
    plugin.mkdir()
    (plugin / "without_engine.py").write_text(WITHOUT_ENGINE, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(plugin), "PYTHONIOENCODING": "cp1252:strict", "OMP_NUM_THREADS": "1"}
    options = ["-p", "without_engine", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=cwd, env=environment, capture_output=True, timeout=300
    )
    text = done.stdout.decode("cp1252").replace("\r\n", "\n")
    assert done.returncode in (0, 1), text + done.stderr.decode("cp1252")  # 0: all passed, 1: some failed
    checks, said = [], {}
    for case in ElementTree.parse(report).iter("testcase"):
        question, name = case.attrib["classname"].rpartition("test_")[2], case.attrib["name"]
        checks.append((question, name, len(case) == 0))
        if len(case):
            said[question, name] = case[0].text or ""
    return Run(text, tuple(checks), said)


def copy_handout(target: Path, *mutants: str) -> Path:
    """Copy the handout, with the solution in place of the stubs and some `question/mistake` in place of that."""
    shutil.copytree(ASSIGNMENT, target, ignore=shutil.ignore_patterns("data", "__pycache__", ".*"))
    for question in QUESTIONS.values():
        if "file" in question:
            shutil.copy(ROOT / "solutions" / question["file"], target)
    for mutant in mutants:
        question = mutant.partition("/")[0]
        shutil.copy(ROOT / "solutions" / "mutants" / f"{mutant}.py", target / QUESTIONS[question]["file"])
    return target


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """A copy of the handout, in a folder whose name has a space."""
    target = tmp_path / "my homework"
    shutil.copytree(ASSIGNMENT, target, ignore=shutil.ignore_patterns("data", "__pycache__", ".*"))
    return target


@pytest.fixture
def solved(tmp_path: Path) -> Path:
    """A copy of the handout with the solution in place of the stubs."""
    return copy_handout(tmp_path / "my homework")


def test_stubs_fail_every_check(stubs: Path) -> None:
    """The stubs earn nothing, no file fails to be collected, and each failure is a line that says why."""
    run = run_pytest(stubs)
    assert [check for check in run.checks if check[2]] == []
    assert run.failing() == set(QUESTIONS)
    assert "error" not in run.text.splitlines()[-1]
    assert run.points("total") == (0, 100)
    assert "linear.py" in run.text
    assert "not written yet (Linear.__init__)" in run.text
    assert "Traceback" not in run.text
    assert "Look at next: autograd_basics" in run.text


def test_solution_passes_every_check(solved: Path) -> None:
    """The solution earns all points, from the folder above too."""
    run = run_pytest(solved.parent, solved.name)
    assert run.failing() == set()
    for question, entry in QUESTIONS.items():
        assert run.points(question) == (entry["points"], entry["points"])
    assert run.points("total") == (100, 100)
    assert "Grading adds hidden checks" in run.text
    assert "Look at next" not in run.text


@pytest.mark.parametrize(
    ("broken", "lines", "failing"),
    [
        (
            {"matmul.py": "def (:\n", "gradient_check.py": None, "training.py": "import no_such_module\n"},
            [
                "matmul.py:1: SyntaxError",
                "gradient_check.py: there is no such file",
                "training.py:1: ModuleNotFoundError",
            ],
            {"matmul", "gradient_check", "training", "mnist"},
        ),
        (
            {"relu.py": "Relu = 1\n", "sequential.py": "raise SystemExit('stop')\n"},
            ["relu.py: there is no ReLU in it", "sequential.py:1: SystemExit"],
            {"relu", "two_layer_nn", "sequential", "mnist"},
        ),
    ],
)
def test_broken_file_fails_only_what_uses_it(
    solved: Path, broken: dict[str, str | None], lines: list[str], failing: set[str]
) -> None:
    """A file that does not load costs its own question and those that import it, and a line says why."""
    for file, source in broken.items():
        (solved / file).unlink()
        if source is not None:
            (solved / file).write_text(source, encoding="utf-8")
    run = run_pytest(solved)
    assert run.failing() == failing
    for line in lines:
        assert line in run.text


def test_failure_shows_what_helps(solved: Path) -> None:
    """A failure has the check's title, what came, the student's line, what was printed, and no step of a library."""
    (solved / "relu.py").write_text(
        "from torch.nn import Module\nclass ReLU(Module):\n    def forward(self, X):\n"
        "        print('here: \u2192')\n        print('there')\n        return X.no_such_method()\n",
        encoding="utf-8",
    )
    run = run_pytest(solved, "tests/test_relu.py")
    assert run.failing() == {"relu"}
    assert "relu: Negative numbers become 0" in run.text
    lines = run.text.splitlines()
    first = lines.index("AttributeError: 'Tensor' object has no attribute 'no_such_method'")
    frames = lines.index("In your files:", first)
    assert lines[frames + 1 : frames + 3] == ["    relu.py:6 in forward", "        return X.no_such_method()"]
    output = lines.index("Your code printed:", first)
    assert lines[output + 1 : output + 3] == ["    here: \\u2192", "    there"]
    assert not {"site-packages", "Captured", "Traceback"} & set(re.findall(r"[\w-]+", run.text))
    assert run.points("relu") == run.points("total") == (0, 5)


def test_long_tracebacks_show_everything(solved: Path) -> None:
    """With --tb=long a failure is as pytest shows it, with torch's own words and what was printed."""
    shutil.copy(ROOT / "solutions" / "mutants" / "relu" / "leaky.py", solved / "relu.py")
    run = run_pytest(solved, "--tb=long", "tests/test_relu.py::test_small_example")
    assert "def test_small_example(hw):" in run.text
    assert "Mismatched elements: 2 / 6" in run.text
    assert "To see it for yourself" not in run.text


@pytest.mark.parametrize("arguments", [["tests/test_linear.py"], ["-k", "linear"]])
def test_one_question_runs_alone(solved: Path, arguments: list[str]) -> None:
    """Both ways in the handout to run one question's checks run these and no others."""
    run = run_pytest(solved, *arguments)
    assert {question for question, _, _ in run.checks} == {"linear"}
    assert run.points("total") == (10, 10)


def functions(question: str) -> list[str]:
    """The names of a question's public checks."""
    tree = ast.parse(CHECKS[question].read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert all(ast.get_docstring(node) for node in found), f"{question}: a check without a title"
    return [node.name for node in found]


def test_k_selects_one_question() -> None:
    """No check's name contains the name of another question, which `pytest -k` would select too."""
    for question in QUESTIONS:
        for name in functions(question):
            others = [other for other in QUESTIONS if other in f"test_{question}.py {name}".lower()]
            assert others == [question], name


def test_every_question_has_its_share() -> None:
    """There are 100 points; every question has two checks or more, and its stub has the names asked for."""
    assert sum(entry["points"] for entry in QUESTIONS.values()) == 100
    for question, entry in QUESTIONS.items():
        assert len(functions(question)) >= 2, question
        if "file" in entry:
            tree = ast.parse((ASSIGNMENT / entry["file"]).read_text(encoding="utf-8"))
            names = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
            assert set(entry["names"]) <= names, question


def test_checks_run_anywhere() -> None:
    """Public checks import nothing that students lack or that the grader has not, and print ASCII only."""
    support = list((ASSIGNMENT / "tests" / "support").glob("*.py"))
    for path in [*CHECKS.values(), *support]:
        source = path.read_text(encoding="utf-8")
        assert source.isascii(), path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules = {node.module or ""}
            else:
                continue
            allowed = {"torch"} if path in support else {"torch", "pytest", "hypothesis", "math"}
            assert {module.partition(".")[0] for module in modules} <= allowed, path
