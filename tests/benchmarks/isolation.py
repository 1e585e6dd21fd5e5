"""What grading one submission takes, from the command to its results, by where student code runs.

The homework's solution is handed in to each in turn, so that a machine that is slow for a while is slow for all; the
ratio is to `--isolation none`, where there is one process for checks and student code. A container needs an engine and
the image that `autograder bundle docker` makes; Otter needs the extra `otter`; Gradescope's layout is a folder here.

    python -m tests.benchmarks.isolation --rounds 3
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder import bundles, containers, gradescope, otter_bundle
from autograder.batch import assemble
from autograder.config import Homework, load_homework
from autograder.errors import AutograderError

ROOT = Path(__file__).resolve().parents[2]
BASE = "--isolation none"


def ways(homework: Homework, folder: Path) -> dict[str, list[str | Path]]:
    """By name, the commands that grade the solution; those that cannot be run here are left out, with a line."""
    submission = folder / "solution"
    assemble(homework, (), submission)
    grade = [sys.executable, "-m", "autograder.cli", "grade", submission, f"--homework={homework.root}"]
    modes = ["none", "process", "sandbox"]
    try:
        containers.choose()
        modes.append("container")
    except AutograderError as error:
        print(f"no container: {error}")
    found = {f"--isolation {mode}": [*grade, f"--isolation={mode}", f"--out={folder / mode}"] for mode in modes}
    otter = Path(sys.executable).parent / "otter"
    if otter.exists():
        bundle = bundles.write(folder / "otter.zip", otter_bundle.otter_zip(homework))
        packed = shutil.make_archive(str(folder / "submission"), "zip", submission)
        found["otter run"] = [otter, "run", "-a", bundle, "-o", folder, packed]
    else:
        print("no Otter: the extra `otter` is not installed")
    place = folder / "platform"
    bundle = bundles.write(folder / "gradescope.zip", gradescope.bundle(homework, ["process"]))
    zipfile.ZipFile(bundle).extractall(place / "source")
    shutil.copytree(submission, place / "submission")
    (place / "results").mkdir()
    found["Gradescope's layout"] = [sys.executable, "-P", "-m", "autograder.gradescope", place]
    return found


def seconds(command: list[str | Path], folder: Path) -> float:
    """How long a command takes; one that fails ends the measurement."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)
    if done.returncode:
        sys.exit(f"{command} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - started


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = ways(load_homework(ROOT), folder)
        taken: dict[str, list[float]] = {way: [] for way in commands}
        for _ in track(range(options.rounds), "rounds"):
            for way, command in commands.items():
                taken[way].append(seconds(command, folder))
    table = Table("graded with", "seconds", "ratio", title=f"medians of {options.rounds}")
    base = statistics.median(taken[BASE])
    for way, values in taken.items():
        middle = statistics.median(values)
        table.add_row(way, f"{middle:.1f}", f"{middle / base:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
