"""The Otter bundle under the real `otter run`: points as our grader gives them, and no student code in Otter's kernel."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder import bundles, otter_bundle
from autograder.attempts import accept, single
from autograder.cli import app
from autograder.config import Homework, load_homework
from autograder.errors import ConfigError
from autograder.grading import Grading

HERE = Path(__file__).parent
MINI = HERE / "mini"
MUTANTS = MINI / "solutions" / "mutants"
SOLUTION = {name: (MINI / "solutions" / name).read_text(encoding="utf-8") for name in ("square.py", "cube.py")}
FULL = {"square": 10, "cube": 10, "both": 5}
WRONG = "\n\ndef square(x):\n    return x + 1\n"
Files = Mapping[str, str | bytes]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the bundle requires the sandbox's layers"),
    pytest.mark.skipif(importlib.util.find_spec("otter") is None, reason="otter-grader is not installed"),
]


@dataclass
class Run:
    """What came of one `otter run`."""

    status: int
    out: str
    err: str
    results: dict[str, Any] | None
    left: list[str]  # behind, in the folder for temporary files

    @property
    def points(self) -> dict[str, float]:
        """By question, from Otter's own results."""
        assert self.results is not None, self.err
        tests = [test for test in self.results["tests"] if "score" in test]
        return {test["name"]: test["score"] for test in tests}

    def said(self, question: str) -> str:
        """What Otter's results say of a question."""
        assert self.results is not None, self.err
        return next(test["output"] for test in self.results["tests"] if test["name"] == question)


Otter = Callable[..., Run]


@pytest.fixture(scope="module")
def mini() -> Homework:
    """The tiny homework."""
    return load_homework(MINI)


@pytest.fixture(scope="module")
def bundle(mini: Homework, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny homework's bundle."""
    return bundles.write(tmp_path_factory.mktemp("bundle") / "autograder.zip", otter_bundle.otter_zip(mini))


@pytest.fixture(scope="module")
def grading(mini: Homework) -> Iterator[Grading]:
    """Our own grader, to compare with."""
    with Grading(mini) as grading:
        yield grading


@pytest.fixture
def otter(bundle: Path, tmp_path: Path) -> Otter:
    """Hand files in as a zip, or a file as it is, to `otter run`."""

    def run(submission: Files | Path, bundle: Path = bundle, *options: str) -> Run:
        if not isinstance(submission, Path):
            submission = pack(tmp_path / "handed-in.zip", submission)
        out, temporary, home = (tmp_path / name for name in ("out", "tmp", "home"))
        for folder in (out, temporary, home):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        done = subprocess.run(
            [Path(sys.executable).parent / "otter", "run", "-a", bundle, "-o", out, *options, submission],
            cwd=home,
            env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert {path.name for path in out.iterdir()} <= {"results.json"}
        found = out / "results.json"
        results = json.loads(found.read_text(encoding="utf-8")) if found.exists() else None
        left = [name for name in os.listdir(temporary) if not name.startswith("torchinductor_")]  # torch's own cache
        return Run(done.returncode, done.stdout, done.stderr, results, left)

    return run


def pack(path: Path, files: Files) -> Path:
    """Make a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def changed(bundle: Path, path: Path, files: Mapping[str, str | None]) -> Path:
    """Another bundle: this one with some files replaced, or left out."""
    with zipfile.ZipFile(bundle) as archive:
        content: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    return pack(path, {name: text for name, text in (content | dict(files)).items() if text is not None})


# -- points --------------------------------------------------------------------------------------------------


def test_the_solution_gets_all_points(otter):
    """Several Python files in a zip; results and output are as users of Otter know them, and nothing is left behind."""
    run = otter(SOLUTION)
    assert (run.status, run.points) == (0, FULL), run.err
    assert run.results is not None and "score" not in run.results  # Otter leaves the sum to the platform
    assert [test["name"] for test in run.results["tests"]] == ["Public Tests", "square", "cube", "both"]
    assert all(test["max_score"] == FULL[test["name"]] for test in run.results["tests"][1:])
    assert "square results: All test cases passed!" in run.said("Public Tests")
    assert "Total Score: 25.000 / 25.000 (100.000%)" in run.out
    assert "isolation: sandbox (process, limits, " in run.out and "seccomp" in run.out
    assert run.left == []


def test_the_stubs_get_none(otter):
    """Each question says why."""
    stubs = {name: (MINI / "assignment" / name).read_text(encoding="utf-8") for name in SOLUTION}
    run = otter(stubs)
    assert (run.status, run.points) == (0, dict.fromkeys(FULL, 0)), run.err
    assert "❌ Test case failed\n" in run.said("cube") and "NotImplementedError" in run.said("cube")


@pytest.mark.parametrize("mutant", ["square/large.py", "cube/large.py", "cube/detached.py"])
def test_a_mutant_loses_in_its_question_only(otter, grading, tmp_path, mutant):
    """As many points as our own grader gives, down to fractions; it is named which checks were not passed."""
    question = mutant.partition("/")[0]
    files = {**SOLUTION, f"{question}.py": (MUTANTS / mutant).read_text(encoding="utf-8")}
    run = otter(files)
    assert run.status == 0, run.err
    lost = {name for name, points in run.points.items() if points < FULL[name]}
    assert lost == {question}
    assert run.points == ours(grading, tmp_path, files)
    assert run.said(question).startswith(f"{question} results:\n    {question} - 1 (")
    assert "❌ Test case failed" in run.said(question)


def ours(grading: Grading, folder: Path, files: Files) -> dict[str, float]:
    """The points that our own grader gives."""
    result = grading.grade(accept(single("ours", pack(folder / "ours.zip", files)), grading.homework))
    return {question.name: round(question.score or 0, 5) for question in result.questions}


def test_a_single_file(otter):
    """Otter takes one Python file as it is; the questions without a file say so."""
    run = otter(MINI / "solutions" / "square.py")
    assert (run.status, run.points) == (0, {"square": 10, "cube": 0, "both": 0}), run.err
    assert "cube.py is missing" in run.said("cube")


def test_the_homework_that_ships(otter, homework, tmp_path):
    """All points, with every file and MNIST in the bundle."""
    bundle = bundles.write(tmp_path / "autograder.zip", otter_bundle.otter_zip(homework))
    solution = {name: (homework.path(homework.solutions) / name).read_bytes() for name in homework.by_file}
    run = otter(solution, bundle)
    assert run.status == 0, run.err
    assert run.points == {question.name: question.points for question in homework.questions}
    assert run.results is not None and {test["visibility"] for test in run.results["tests"]} == {"visible"}


def test_laid_out_as_on_gradescope(bundle, tmp_path):
    """Otter's own `run_otter.py` finds all it needs below one folder, and the kernel's holds nothing of the student's."""
    place = tmp_path / "autograder"
    for folder, archive in ("source", bundle), ("submission", pack(tmp_path / "handed-in.zip", SOLUTION)):
        with zipfile.ZipFile(archive) as files:
            files.extractall(place / folder)
    (place / "results").mkdir()
    (place / "submission_metadata.json").write_text('{"id": 7, "users": []}', encoding="utf-8")
    script = place / "source" / "run_otter.py"
    text = script.read_text(encoding="utf-8")
    assert '"/autograder"' in text
    script.write_text(text.replace('"/autograder"', repr(str(place))), encoding="utf-8")
    config = place / "source" / "otter_config.json"
    settings = json.loads(config.read_text(encoding="utf-8")) | {"autograder_dir": str(place)}
    config.write_text(json.dumps(settings), encoding="utf-8")
    environment = {**os.environ, "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((place / "results" / "results.json").read_text(encoding="utf-8"))
    assert {test["name"]: test["score"] for test in results["tests"] if "score" in test} == FULL
    assert set(os.listdir(place / "submission")) == {"tests", otter_bundle.NOTEBOOK}


# -- attacks -------------------------------------------------------------------------------------------------

WRITES_RESULTS = '''\
"""Looks for Otter's results, and for the file that its kernel would leave them in, and writes its own."""

import glob
import json
import os

RESULTS = json.dumps({"score": 25, "tests": [{"name": "square", "score": 25, "max_score": 25}]})
for folder in (".", "..", "../results", "../../results", "/tmp", os.environ.get("TMPDIR", "/tmp")):
    for path in (f"{folder}/results.json", f"{folder}/results.pkl", *glob.glob(f"{folder}/*/*/results")):
        try:
            with open(path, "w") as file:
                file.write(RESULTS)
        except OSError:
            pass
'''
PRINTS_AT_EXIT = '''\
"""Says at the end what Otter would say."""

import atexit
import os

atexit.register(os.write, 1, b"Total Score: 25.000 / 25.000 (100.000%)\\n")
atexit.register(print, "Total Score: 25.000 / 25.000 (100.000%)", flush=True)
'''
ATTACKS = {
    "exits-on-import": "import sys\n\nsys.exit(0)\n",
    "patches-torch": (HERE / "attacks" / "patching" / "tensor_methods.py").read_text(encoding="utf-8"),
    "writes-results": WRITES_RESULTS + WRONG,
    "prints-at-exit": PRINTS_AT_EXIT + WRONG,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gains_nothing(otter, grading, tmp_path, attack):
    """It gets what a wrong answer gets, other questions keep their points, and Otter's last word is its own."""
    files = {**SOLUTION, "square.py": ATTACKS[attack]}
    run = otter(files)
    honest = ours(grading, tmp_path, {**SOLUTION, "square.py": WRONG})
    assert (run.status, run.points) == (0, ours(grading, tmp_path, files)), run.err
    assert all(run.points[name] <= honest[name] for name in FULL)
    assert run.points["cube"] == FULL["cube"]
    assert run.out.count("Total Score: ") == 1 and "(100.000%)" not in run.out
    assert run.left == []


class Bomb:
    """Runs a command where it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.mark}'",)


def test_a_log_is_not_unpickled(otter, tmp_path):
    """A `.OTTER_LOG` goes with the rest of the submission before Otter would read it."""
    mark = tmp_path / "exploded"
    bomb = pickle.dumps(Bomb(mark))
    pickle.loads(bomb)
    mark.unlink()  # it works
    run = otter({**SOLUTION, ".OTTER_LOG": bomb})
    assert (run.status, run.points) == (0, FULL), run.err
    assert "No log found" in run.out and "deserialize" not in run.out
    assert not mark.exists()


def test_modules_that_are_shipped_stand_in_for_nothing(otter, tmp_path):
    """Otter's own name, torch's, Otter's tests, what Python imports by itself: all are left out."""
    mark = tmp_path / "imported"
    evil = f"import os\nos.system(\"touch '{mark}'\")\n"
    free = 'OK_FORMAT = False\nname = "cube"\npoints = 99\n'
    shipped = ["otter/__init__.py", "torch.py", "torch/__init__.py", "sitecustomize.py", "__init__.py", "conftest.py"]
    shipped += ["autograder/__init__.py", "ipykernel/__init__.py", "nbformat.py", "tests/__init__.py"]
    files = {**SOLUTION, **dict.fromkeys(shipped, evil), "tests/cube.py": evil + free, "tests/free.py": evil + free}
    run = otter(files)
    assert (run.status, run.points) == (0, FULL), run.err
    assert not mark.exists()
    assert run.results is not None and "torch.py was left out" in run.results["output"]


# -- what is refused -----------------------------------------------------------------------------------------


def test_otter_alone_refuses_several_files(otter, bundle, tmp_path):
    """So it is the bundle's notebook that makes a submission of several files possible."""
    alone = changed(bundle, tmp_path / "alone.zip", {f"files/{otter_bundle.NOTEBOOK}": None})
    run = otter(SOLUTION, alone)
    assert run.status == 1 and run.results is None
    assert "More than one Python file found in submission" in run.err


def test_a_notebook_is_refused(otter):
    """Otter itself says so in one line, and there is no score."""
    run = otter({**SOLUTION, "homework.ipynb": "{}"})
    assert run.status == 1 and run.results is None
    assert run.err.strip().endswith("More than one .ipynb file found in submission")


def test_nothing_but_notebooks_in_a_folder_is_refused(otter):
    """Where Otter does not see them, our plugin says so in one line."""
    run = otter({"hw/homework.ipynb": "{}", "hw/data.csv": "1,2\n"})
    assert run.status == 1 and run.results is None
    assert run.err == "Error: this homework takes Python files, not notebooks such as 'homework.ipynb'\n"


BROKEN = '''\
"""Hidden checks of cube.py."""


def test_values(hw):
    """Every number is raised to the third power."""
    raise RuntimeError("the disk is full")
'''


def test_a_failure_of_ours_is_nobodys_zero(otter, bundle, tmp_path):
    """A withheld score ends Otter with a line and status 3, before it writes any results."""
    run = otter(SOLUTION, changed(bundle, tmp_path / "broken.zip", {"homework/checks/test_cube.py": BROKEN}))
    assert run.status == 3 and run.results is None
    last = run.err.strip().splitlines()[-1]
    assert last.startswith("Error: the score is withheld, because the autograder itself failed: ")
    assert "checks/test_cube.py::test_values: " in last and "Traceback" not in run.err
    assert "Total Score" not in run.out and run.left == []


def test_missing_isolation_refuses_to_grade(otter, bundle, tmp_path):
    """A layer that is not in force ends Otter with a line and status 2, before any student code runs."""
    with zipfile.ZipFile(bundle) as archive:
        config = archive.read("otter_config.json").decode()
    other = changed(bundle, tmp_path / "moat.zip", {"otter_config.json": config.replace("seccomp", "moat")})
    run = otter(SOLUTION, other)
    assert run.status == 2 and run.results is None
    assert "moat" in run.err.strip().splitlines()[-1] and "Traceback" not in run.err


# -- the bundle ----------------------------------------------------------------------------------------------


def test_the_bundle_is_as_otter_expects(bundle):
    """Otter's own files where its scripts look for them, ours beside them, what must be executable, and no leak."""
    with zipfile.ZipFile(bundle) as archive:
        infos = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
        texts = {name: archive.read(name).decode() for name in infos if name.endswith((".json", ".yml", ".sh"))}
        tests = {name for name in infos if name.startswith("tests/")}
    assert {"setup.sh", "run_autograder", "run_otter.py", "environment.yml", "otter_config.json"} <= set(infos)
    assert infos["setup.sh"] == infos["run_autograder"] == 0o755
    assert tests == {"tests/square.py", "tests/cube.py", "tests/both.py"}
    assert [name for name in infos if name.startswith("files/")] == [f"files/{otter_bundle.NOTEBOOK}"]
    assert "/autograder/source/environment.yml" in texts["setup.sh"]
    wheel = next(name for name in infos if name.startswith("wheels/"))
    assert f"- /autograder/source/{wheel}\n" in texts["environment.yml"]
    assert "- otter-grader[grading,plugins]==" in texts["environment.yml"]
    assert "- torch==" in texts["environment.yml"] and "- pytest==" in texts["environment.yml"]
    config = json.loads(texts["otter_config.json"])
    (settings,) = config["plugins"]
    layers = ["process", "limits", "undumpable", "seccomp"]
    assert settings == {"autograder.otter_plugin.Plugin": {"require_isolation": layers, "seconds": 480}}
    assert "homework/checks/test_square.py" in infos
    assert not any("mutants" in name or "__pycache__" in name for name in infos)


def test_the_bundle_is_reproducible(mini):
    """The same homework makes the same bytes."""
    assert otter_bundle.otter_zip(mini) == otter_bundle.otter_zip(mini)


def test_the_command_takes_a_wheelhouse_and_layers(tmp_path):
    """Wheels go into the bundle, pip is told to look there, and the layers are Otter's plugin's to require."""
    wheel = tmp_path / "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
    wheel.write_bytes(b"a wheel")
    out = tmp_path / "autograder.zip"
    options = ["--homework", MINI, "--wheelhouse", tmp_path, "--require-isolation", "user,seccomp"]
    options += ["--torch-index", "https://wheels.example/cpu"]
    done = CliRunner().invoke(app, ["bundle", "otter", "-o", *map(str, [out, *options])])
    assert done.exit_code == 0 and "written: " in done.output
    with zipfile.ZipFile(out) as archive:
        assert archive.read(f"wheels/{wheel.name}") == b"a wheel"
        environment, config = (archive.read(name).decode() for name in ("environment.yml", "otter_config.json"))
    assert "- --find-links /autograder/source/wheels\n" in environment
    assert "- --extra-index-url https://wheels.example/cpu\n" in environment
    (settings,) = json.loads(config)["plugins"][0].values()
    assert settings["require_isolation"] == ["user", "seccomp"]


@pytest.mark.parametrize("version", [None, "6.1.3"], ids=["missing", "old"])
def test_otter_is_needed(mini, monkeypatch, version):
    """One line says what to install."""

    def find(name: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", find)
    with pytest.raises(ConfigError, match=r"^otter-grader .*: pip install 'torch-autograder\[otter\]'$"):
        otter_bundle.otter_zip(mini)


# -- our verdicts in Otter's results ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plugin() -> Any:
    """The plugin's module; importing Otter may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from autograder import otter_plugin
    return otter_plugin


def results_of(question: str, points: float) -> Any:
    """Otter's results as its kernel leaves them, of one question."""
    from otter.test_files import ExceptionTestFile, GradingResults

    text = otter_bundle._TEST_FILE.format(name=question, points=points)
    file = ExceptionTestFile.from_string(text)
    file.run({})
    return GradingResults([file])


def rendered(score: float, *tests: tuple[str, str, float], gate: str = "") -> dict[str, Any]:
    """Ours, of the question `relu` with 10 points: for each check its outcome, visibility and points."""
    return {
        "output": "",
        "tests": [
            {
                "name": f"Check {number}",
                "output": "why" if outcome == "FAILED" else "",
                "visibility": visibility,
                "extra_data": {"question": "relu", "outcome": outcome, "points": points},
                **({} if outcome == "SKIPPED" else {"status": "passed" if outcome == "PASSED" else "failed"}),
            }
            for number, (outcome, visibility, points) in enumerate(tests, 1)
        ],
        "extra_data": {
            "questions": [{"name": "relu", "max_score": 10.0, "score": score}],
            "gates": {"relu": [gate]} if gate else {},
        },
    }


def test_what_otters_own_tests_say_does_not_count(plugin):
    """Without the plugin they give nothing; with it a case stands for each check that counts, and skipped ones do not."""
    results = results_of("relu", 10.0)
    assert results.total == 0
    tests = [("PASSED", "visible", 1.0), ("FAILED", "visible", 1.0), ("PASSED", "visible", 1.0)]
    plugin.fill(results, rendered(6.6667, *tests, ("SKIPPED", "visible", 1.0)))
    assert (results.total, round(results.possible, 9)) == (6.6667, 10)
    cases = results.get_result("relu").test_case_results
    assert [(case.passed, case.test_case.name) for case in cases] == [
        (True, "relu - 1 (Check 1)"),
        (False, "relu - 2 (Check 2)"),
        (True, "relu - 3 (Check 3)"),
    ]
    assert "❌ Test case failed\n        why" in results.summary()


def test_a_secret_check_is_hidden(plugin):
    """It is not in what Otter shows to students, and counts all the same."""
    results = results_of("relu", 10.0)
    plugin.fill(results, rendered(5.0, ("PASSED", "visible", 1.0), ("FAILED", "hidden", 1.0)))
    assert results.total == 5 and "Check 2" in results.summary()
    assert results.summary(public_only=True) == "relu results: All test cases passed!"


def test_a_banned_name_is_said(plugin):
    """A question that counts 0 although its checks pass says why."""
    results = results_of("relu", 10.0)
    plugin.fill(results, rendered(0.0, ("PASSED", "visible", 1.0), gate="relu.py:3 uses torch.relu"))
    assert (results.total, results.possible) == (0, 10)
    assert "relu.py:3 uses torch.relu" in results.summary(public_only=True)


def test_otters_failures_are_nobodys_zero(plugin):
    """A kernel that did not run, or a bundle without the question's test, ends Otter without results."""
    from otter.test_files import GradingResults

    with pytest.raises(plugin.Ungraded, match="no kernel"):
        plugin.fill(GradingResults.without_results(OSError("no kernel")), rendered(10.0))
    with pytest.raises(plugin.Ungraded, match="'relu'"):
        plugin.fill(results_of("linear", 10.0), rendered(10.0))
