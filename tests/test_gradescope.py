"""The Gradescope bundle, unzipped where Gradescope would, with this interpreter in place of the one that setup.sh makes.

`tests/containers` builds and runs it in a container as root, as the platform does.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from autograder import bundles, gradescope
from autograder.cli import app
from autograder.config import load_homework
from autograder.errors import ConfigError

MINI = Path(__file__).parent / "mini"
SCHEMA = json.loads((Path(__file__).parent / "gradescope_schema.json").read_text(encoding="utf-8"))
# What the platform says of a submission, as its documentation describes it.
METADATA = {
    "id": 123456,
    "created_at": "2026-03-01T12:30:00.000000-08:00",
    "assignment": {"due_date": "2026-03-02T23:59:00.000000-08:00", "id": 1, "title": "HW", "total_points": "25.0"},
    "users": [{"email": "someone@example.edu", "id": 1, "name": "Someone"}],
    "previous_submissions": [{"submission_time": "2026-02-28T10:00:00.000000-08:00", "score": 3.0}],
}


@pytest.fixture(scope="module")
def zipped() -> bytes:
    """The bundle of the tiny homework, which requires what every machine has."""
    return gradescope.bundle(load_homework(MINI), ["process"])


@pytest.fixture
def place(zipped: bytes, tmp_path: Path) -> Path:
    """A folder laid out as /autograder."""
    source = tmp_path / "source"
    zipfile.ZipFile(io.BytesIO(zipped)).extractall(source)
    (source / "venv" / "bin").mkdir(parents=True)
    python = source / "venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    for name in ("submission", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "submission_metadata.json").write_text(json.dumps(METADATA), encoding="utf-8")
    return tmp_path


def graded(place: Path) -> dict[str, Any]:
    """Run the platform's command; what it left in results.json."""
    command = ["bash", str(place / "source" / "run_autograder")]
    environment = {**os.environ, "AUTOGRADER_PLACE": str(place), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((place / "results" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(results, SCHEMA)
    results["stdout"] = done.stdout
    return results


def hand_in(place: Path, **texts: str) -> None:
    """Hand in the solution, with other texts for some files."""
    for path in (MINI / "solutions").glob("*.py"):
        shutil.copyfile(path, place / "submission" / path.name)
    for name, text in texts.items():
        (place / "submission" / f"{name}.py").write_text(text, encoding="utf-8")


def test_the_solution_gets_all_points(place):
    """A score, a test for each check, what the platform said of the attempt, and only for staff what was printed."""
    hand_in(place, square="print('here')\ndef square(x):\n    return x * x\n")
    results = graded(place)
    assert results["score"] == results["max_score"] == 25
    assert sum(test["score"] for test in results["tests"]) == pytest.approx(25, abs=0.01)  # each is rounded
    assert {test["status"] for test in results["tests"]} == {"passed"}
    assert results["stdout_visibility"] == "hidden"
    assert results["extra_data"]["gradescope"] == {
        "attempt": 2,
        "submitted": METADATA["created_at"],
        "due": METADATA["assignment"]["due_date"],
        "points": 25.0,
    }
    assert "process" in results["extra_data"]["isolation"]["layers"]
    assert "test_values" in results["stdout"]


def test_the_stubs_get_none(place):
    """What was handed out earns nothing."""
    for path in (MINI / "assignment").glob("*.py"):
        shutil.copyfile(path, place / "submission" / path.name)
    assert graded(place)["score"] == 0


@pytest.mark.parametrize(
    "metadata", ["", "[]", "{}", '{"assignment": 3, "previous_submissions": "x", "created_at": 5}', "\x00", None]
)
def test_metadata_that_says_nothing(place, metadata):
    """Whatever the platform leaves there, or does not, the submission is graded."""
    path = place / "submission_metadata.json"
    path.unlink() if metadata is None else path.write_text(metadata, encoding="utf-8")
    assert gradescope.submission_metadata(path) == {}


def empty(place: Path) -> None:
    """Nothing is handed in."""


def a_broken_zip(place: Path) -> None:
    """A zip that cannot be read."""
    (place / "submission" / "homework.zip").write_bytes(b"PK\x03\x04 and no more")


def exits(place: Path) -> None:
    """A file that ends the process, before and after."""
    hand_in(place, square="import atexit, os\natexit.register(os._exit, 0)\nos._exit(0)\n")


def writes_results(place: Path) -> None:
    """A file that writes what the platform reads."""
    forged = json.dumps({"score": 25})
    path = place / "results" / "results.json"
    hand_in(place, square=f"open({str(path)!r}, 'w').write({forged!r})\ndef square(x):\n    return x\n")


@pytest.mark.parametrize("submit", [empty, a_broken_zip, exits, writes_results])
def test_what_cannot_be_right(place, submit: Callable[[Path], None]):
    """Each gets a score, of what is right in it, and an explanation."""
    submit(place)
    results = graded(place)
    assert results["score"] <= 10
    assert any(test["status"] == "failed" and test["output"] for test in results["tests"])


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda source: (source / "bundle.json").write_text("{"), "JSONDecodeError"),
        (lambda source: (source / "homework" / "solutions" / "cube.py").unlink(), "the solution lacks"),
        (lambda source: (source / "homework" / "checks" / "test_cube.py").write_text("("), "cannot be collected"),
        (
            lambda source: (source / "bundle.json").write_text('{"required": ["magic"], "seconds": 60}'),
            "magic (not asked for)",
        ),
    ],
    ids=["settings", "solution", "checks", "layers"],
)
def test_a_broken_grader_gives_no_score(place, spoil: Callable[[Path], Any], error: str):
    """It says that it is not the student's fault, and staff find out why."""
    hand_in(place, cube="def cube(x):\n    return x.nothing\n")
    spoil(place / "source")
    results = graded(place)
    assert "score" not in results and not any("score" in test for test in results.get("tests", []))
    assert "not your fault" in results["output"]
    if "error" in results["extra_data"]:
        assert error in results["extra_data"]["error"]
    else:
        assert error in results["stdout"]


def test_an_engine_that_does_not_start(place):
    """Even without Python there are results, and no score."""
    hand_in(place)
    (place / "source" / "venv" / "bin" / "python").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    results = graded(place)
    assert "score" not in results
    assert "exit status 9" in results["output"]


def test_time_runs_out(place):
    """The platform would end everything without a result: what is left then has timed out."""
    hand_in(place, square="def square(x):\n    while True:\n        pass\n")
    settings = json.dumps({"required": [], "seconds": 3})
    (place / "source" / "bundle.json").write_text(settings, encoding="utf-8")
    results = graded(place)
    assert results["score"] < 25
    assert "the 3 seconds for the whole submission were over" in results["output"]


@pytest.mark.parametrize("when", ["after_published", "after_due_date", "hidden"])
def test_hidden_checks_are_shown_when_the_course_wants(place, when):
    """By configuration; public ones are always shown."""
    config = place / "source" / "homework" / "pyproject.toml"
    text = config.read_text(encoding="utf-8").replace(
        "[tool.autograder]", f'[tool.autograder]\nhidden_visibility = "{when}"'
    )
    config.write_text(text, encoding="utf-8")
    hand_in(place)
    results = graded(place)
    assert {test["visibility"] for test in results["tests"]} == {"visible", when, "hidden"}  # one is secret
    public = {t["extra_data"].get("id") for t in results["tests"] if t["visibility"] == "visible"}
    assert public and None not in public


def test_the_zip_is_the_same_and_has_what_it_takes(zipped):
    """The engine without checks, the homework with them, pins, and executable scripts."""
    assert gradescope.bundle(load_homework(MINI), ["process"]) == zipped
    archive = zipfile.ZipFile(io.BytesIO(zipped))
    names = set(archive.namelist())
    assert {"setup.sh", "run_autograder", "homework/checks/test_cube.py", "homework/solutions/cube.py"} <= names
    assert not any("mutants" in name or "variants" in name for name in names)
    modes = {name: archive.getinfo(name).external_attr >> 16 for name in ("setup.sh", "run_autograder", "bundle.json")}
    assert modes["setup.sh"] & stat.S_IXUSR and modes["run_autograder"] & stat.S_IXUSR
    assert not modes["bundle.json"] & stat.S_IXUSR
    pins = archive.read("constraints.txt").decode().splitlines()
    assert any(line.startswith("torch==") for line in pins) and not any("+" in line for line in pins)
    assert all("==" in line for line in pins)


def test_the_engine_as_a_wheel(tmp_path):
    """pip takes it; it holds the engine and no check of the homework."""
    name, content = bundles.engine_wheel()
    assert bundles.engine_wheel() == (name, content)
    (tmp_path / name).write_bytes(content)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path / "there"]
    done = subprocess.run([*pip, tmp_path / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there" / "autograder" / "templates" / "gradescope" / "setup.sh").is_file()
    assert not (tmp_path / "there" / "autograder" / "checks").exists()
    metadata = next((tmp_path / "there").glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    assert "Requires-Dist: torch" in metadata


def test_a_wheelhouse_goes_in(tmp_path):
    """Its wheels are in the zip; an empty one is refused."""
    with pytest.raises(ConfigError, match="has no wheels"):
        gradescope.bundle(load_homework(MINI), wheelhouse=tmp_path)
    (tmp_path / "torch-1-py3-none-any.whl").write_bytes(b"wheel")
    content = gradescope.bundle(load_homework(MINI), wheelhouse=tmp_path)
    assert zipfile.ZipFile(io.BytesIO(content)).read("wheels/torch-1-py3-none-any.whl") == b"wheel"


def test_the_command(tmp_path):
    """It writes the zip, and says what torch will cost."""
    out = tmp_path / "gradescope.zip"
    done = CliRunner().invoke(app, ["bundle", "gradescope", "-o", str(out), "--homework", str(MINI)])
    assert done.exit_code == 0, done.output
    assert "written:" in done.output and "--torch-index" in done.output
    assert "run_autograder" in zipfile.ZipFile(out).namelist()
    refused = CliRunner().invoke(
        app, ["bundle", "gradescope", "-o", str(tmp_path / "no" / "x.zip"), "--homework", str(MINI)]
    )
    assert refused.exit_code != 0 and not (tmp_path / "no").exists()
