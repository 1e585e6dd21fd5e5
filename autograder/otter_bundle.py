"""Makes the Otter bundle: the zip of Otter's own generator, with the homework and the engine put into it.

Otter gets one test file a question, for its name and points; `otter_plugin` is what grades. Nothing of Otter is
imported here: its generator runs as a command, so that its files are looked for in a folder of ours.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import bundles
from .config import Homework, Question
from .errors import ConfigError

OLDEST = 7  # of Otter's versions: plugins see a submission before its log is unpickled
SOURCE = "/autograder/source"  # where Otter's image has the bundle
PLUGIN = "autograder.otter_plugin.Plugin"
HOMEWORK, WHEELS, FILES, TESTS = "homework", "wheels", "files", "tests"  # folders of the bundle
NOTEBOOK = "autograder_placeholder.ipynb"  # Otter takes one notebook, or else one Python file, and no more
SECONDS = 480  # for all checks of a submission, of the ten minutes that Gradescope gives and the kernel needs some of
EXECUTABLE = ("run_autograder", "setup.sh")
_TEST_FILE = '''\
"""Judged by the autograder, outside of Otter's kernel; its plugin puts the results in the place of this test's."""

from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points!r}


@test_case()
def test_judged_by_the_autograder():
    raise AssertionError("the autograder's plugin did not run")
'''
_NOTEBOOK = {
    "cells": [],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def otter_zip(
    homework: Homework,
    *,
    required: Sequence[str] | None = None,
    wheelhouse: Path | None = None,
    torch_index: str = "",
) -> bytes:
    """The bundle for `otter run`, and for Gradescope: the same bytes for the same homework, engine and Otter.

    Args:
        homework: the homework.
        required: layers that must be in force; by default those of `required_layers`.
        wheelhouse: a folder of wheels that Gradescope's image prefers to what it would download.
        torch_index: where pip finds torch there, besides its own index.

    Raises:
        ConfigError: Otter is missing or too old, or its generator refuses; a file cannot be bundled.
    """
    _expect_otter()
    engine, wheel = bundles.engine_wheel()
    chosen = bundles.wheels(wheelhouse) if wheelhouse else {}
    lines = [f"--find-links {SOURCE}/{WHEELS}"] if chosen else []
    lines += [f"--extra-index-url {torch_index}"] if torch_index else []
    lines += [f"{SOURCE}/{WHEELS}/{engine}", *bundles.pins(homework)]
    layers = required_layers(homework) if required is None else required
    files: dict[str, bundles.Entry | bytes] = {
        name: bundles.Entry(content, executable=name in EXECUTABLE)
        for name, content in _generated(homework, _config(homework, layers), lines).items()
    }
    files |= {f"{HOMEWORK}/{name}": content for name, content in bundles.homework_files(homework).items()}
    return bundles.zip_bytes({**files, **chosen, f"{WHEELS}/{engine}": wheel})


def required_layers(homework: Homework) -> tuple[str, ...]:
    """The layers that every Linux has, whoever grades: with them, workers can read nothing that is hidden."""
    return ("process", "limits", "undumpable", "seccomp", *(("landlock",) if homework.files else ()))


def _expect_otter() -> None:
    advice = "pip install 'torch-autograder[otter]'"
    try:
        version = importlib.metadata.version("otter-grader")
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(f"otter-grader is not installed: {advice}") from error
    if int(version.partition(".")[0]) < OLDEST:
        raise ConfigError(f"otter-grader {version} is too old, {OLDEST} or newer is needed: {advice}")


def _config(homework: Homework, required: Sequence[str]) -> dict[str, Any]:
    """Otter's own settings. What it calls hidden are the checks that students do not see at once."""
    return {
        "plugins": [{PLUGIN: {"require_isolation": list(required), "seconds": SECONDS}}],
        "show_all_public": True,  # a question's points as well, where none of its checks is hidden
        "show_hidden": homework.hidden_visibility in ("after_due_date", "after_published"),
    }


def _generated(homework: Homework, config: Mapping[str, Any], requirements: Sequence[str]) -> dict[str, bytes]:
    """What Otter's own generator makes of it, by path in its zip."""
    files = {f"{TESTS}/{question.name}.py": _test_file(question) for question in homework.questions}
    files |= {
        "otter_config.json": json.dumps(config),
        "requirements.txt": "".join(f"{line}\n" for line in requirements),
        NOTEBOOK: json.dumps(_NOTEBOOK),
    }
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    options = ["--no-environment", "--python-version", python, "-o", "bundle.zip", NOTEBOOK]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / TESTS).mkdir()
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-P", "-m", "otter", "generate", *options]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ConfigError(f"otter generate failed: {done.stderr.strip().rpartition(chr(10))[2]}")
        with zipfile.ZipFile(place / "bundle.zip") as made:
            return {name: made.read(name) for name in made.namelist()}


def _test_file(question: Question) -> str:
    return _TEST_FILE.format(name=question.name, points=question.points)
