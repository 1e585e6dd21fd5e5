"""What students get: the assignment's folder as a zip, audited before it is given out."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from . import bundles, leaks
from .config import Homework
from .errors import ConfigError
from .stubs import write_assignment

MAX_MEGABYTES = 100  # learning platforms refuse more
INSTALLS = ("pyproject.toml", "requirements.txt")  # one of them says what to install
SECONDS = 900  # for the public tests, once
Step = Callable[[str], None]  # told what is looked at next


def handout(homework: Homework, step: Step = lambda name: None) -> tuple[bytes, list[str]]:
    """Make the zip that students get, and say what keeps it from being given out.

    Args:
        homework: the homework.
        step: told about each part of the audit.

    Returns:
        the zip, the same byte for byte for the same folder, and a line for each shortfall.

    Raises:
        ConfigError: the public tests cannot be run.
    """
    folder = homework.path(homework.assignment)
    files = bundles.files_below(folder)
    content = bundles.zip_bytes({f"{_slug(homework.title)}/{name}": file for name, file in files.items()})
    step("files")
    shortfalls = [f"{path} is out of step: run `autograder stubs`" for path in write_assignment(homework, check=True)]
    if not any(name in files for name in INSTALLS):
        shortfalls.append(f"nothing says what to install: {folder} has neither {' nor '.join(INSTALLS)}")
    if len(content) > MAX_MEGABYTES << 20:
        shortfalls.append(f"it has {len(content) / (1 << 20):.0f} MB; at most {MAX_MEGABYTES} can be handed out")
    if not Path(homework.public_checks).is_relative_to(homework.assignment):
        return content, [*shortfalls, f"the public tests, {homework.public_checks}, are not in {homework.assignment}"]
    step("leaks")
    shortfalls += leaks.leaks(homework, folder)[1]
    step("public tests on the stubs")
    passed, _ = _public_tests(homework, files)
    shortfalls += [f"{check} passes on the stubs" for check in passed]
    step("public tests on the solution")
    solution = {file: (homework.path(homework.solutions) / file).read_bytes() for file in homework.by_file}
    passed, failed = _public_tests(homework, {**files, **solution})
    shortfalls += [f"{check} fails on the solution" for check in failed]
    if not passed and not failed:
        shortfalls.append("there is no public test")
    return content, shortfalls


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "homework"


def _public_tests(homework: Homework, files: dict[str, bytes]) -> tuple[list[str], list[str]]:
    """Run the public tests as a student does; the names of those that passed, and of those that did not."""
    below = Path(homework.public_checks).relative_to(homework.assignment).as_posix()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder, report = Path(place, "handout"), Path(place, "report.xml")
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", below]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
            cases = list(ElementTree.parse(report).iter("testcase"))
        except subprocess.TimeoutExpired:
            raise ConfigError(f"the public tests take longer than {SECONDS} seconds") from None
        except (OSError, ElementTree.ParseError):
            last = (done.stdout + done.stderr).strip().rpartition("\n")[2]
            raise ConfigError(f"the public tests cannot be run: {last}") from None
    results: tuple[list[str], list[str]] = [], []
    for case in cases:
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        results[case.find("failure") is not None or case.find("error") is not None].append(name)
    return results
