"""Gradescope: the zip that is uploaded there, and what runs in its container.

`setup.sh` and `run_autograder` are in `templates/gradescope`; the latter calls `main`, which always leaves a
`results.json`. Source: Gradescope's autograder specifications and "Submission metadata".
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import bundles, reports
from .attempts import accept, single
from .config import Homework, load_homework
from .errors import AutograderError, ConfigError
from .grading import Grading
from .results import SubmissionResult

TEMPLATES = Path(__file__).parent / "templates" / "gradescope"
LAYERS = ("process", "limits", "undumpable", "user", "seccomp")  # what a container there, run as root, has
SECONDS = 540  # of the ten minutes that a submission has by default
FAILED = "The autograder itself failed. This is not your fault, and there is no score: tell the course's staff."


def bundle(
    homework: Homework,
    required: Sequence[str] = LAYERS,
    seconds: float = SECONDS,
    wheelhouse: Path | None = None,
    torch_index: str = "",
) -> bytes:
    """Make the zip that is uploaded as a programming assignment's autograder.

    Args:
        homework: the homework.
        required: layers of isolation without which nothing is graded.
        seconds: how long a submission's checks may take together.
        wheelhouse: a folder of wheels to install from, so that building needs no network.
        torch_index: where pip finds torch, such as PyTorch's own index of builds for the CPU; pip's own if empty.

    Raises:
        ConfigError: the wheelhouse has no wheels.
    """
    name, engine = bundles.engine_wheel()
    files: dict[str, bundles.Entry | bytes] = {
        **{f"homework/{path}": content for path, content in bundles.homework_files(homework).items()},
        "setup.sh": bundles.Entry((TEMPLATES / "setup.sh").read_bytes(), executable=True),
        "run_autograder": bundles.Entry((TEMPLATES / "run_autograder").read_bytes(), executable=True),
        f"engine/{name}": engine,
        "requirements.txt": _lines(bundles.requirements(homework)),
        "constraints.txt": _lines(bundles.pins(homework)),
        "bundle.json": json.dumps({"required": list(required), "seconds": seconds}).encode(),
    }
    if torch_index:
        files["torch-index"] = _lines([torch_index])
    if wheelhouse is not None:
        files |= bundles.wheels(wheelhouse)
    return bundles.zip_bytes(files)


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


# -- in the container --------------------------------------------------------------------------------------------------


def run(place: Path) -> dict[str, Any]:
    """Grade the submission that lies below a folder laid out as `/autograder`; returns what `results.json` says.

    Raises:
        AutograderError: it cannot be graded here.
    """
    settings = json.loads((place / "source" / "bundle.json").read_text(encoding="utf-8"))
    metadata = submission_metadata(place / "submission_metadata.json")
    _only_for_root(place / "source")
    homework = load_homework(place / "source" / "homework")
    submission = accept(single("submission", place / "submission"), homework)
    with Grading(homework, "auto", required=settings["required"]) as grading:
        result = grading.grade(submission, seconds=settings["seconds"])
    results = reports.results_json(result, homework.hidden_visibility, html=True)
    results["extra_data"]["gradescope"] = metadata
    _tell_staff(result, metadata)
    return results


def _only_for_root(source: Path) -> None:
    """Close the bundle to all others, should the platform have laid it out anew since `setup.sh` did."""
    with contextlib.suppress(OSError):
        os.chmod(source, 0o700)


def submission_metadata(path: Path) -> dict[str, Any]:
    """What the platform says of a submission that is worth keeping: attempt, time, lateness, points.

    A file that is missing, or not as it should be, says nothing.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    found: dict[str, Any] = {}
    if isinstance(told.get("previous_submissions"), list):
        found["attempt"] = len(told["previous_submissions"]) + 1
    if isinstance(told.get("created_at"), str):
        found["submitted"] = told["created_at"][:40]
    assignment = told.get("assignment")
    if isinstance(assignment, dict):
        if isinstance(assignment.get("due_date"), str):
            found["due"] = assignment["due_date"][:40]
        with contextlib.suppress(TypeError, ValueError, KeyError):
            found["points"] = float(assignment["total_points"])
    return found


def _tell_staff(result: SubmissionResult, metadata: dict[str, Any]) -> None:
    """Print what students do not see: Gradescope shows standard output to staff only."""
    for check in result.checks:
        print(
            f"{check.outcome:14} {check.seconds:7.2f} s  {check.check.id}  {check.message.partition(chr(10))[0][:200]}"
        )
    points = metadata.get("points", result.max_score)
    if points != result.max_score:
        print(f"This homework has {result.max_score:g} points; the assignment on Gradescope has {points:g}.")


def main() -> None:
    """Write `results/results.json` below the folder that is named, whatever happens."""
    place = Path(sys.argv[1])
    try:
        results = run(place)
    except BaseException as error:
        why = f"{error}" if isinstance(error, AutograderError) else type(error).__name__
        if not isinstance(error, AutograderError):
            traceback.print_exc()
        print(f"autograder: {why}", file=sys.stderr)
        results = {"output": FAILED, "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden"}
        results["extra_data"] = {"error": why[:1000]}
    try:
        reports.write_json(place / "results" / "results.json", results)
    except OSError as error:
        raise ConfigError(f"the results cannot be written: {error}") from error


if __name__ == "__main__":
    main()
