"""What each layer of the sandbox costs: starting a worker, and a call, as ratios to a worker without layers.

Launchers take turns within one run, so that a machine that is slow for a while is slow for all of them.

    python tests/benchmarks/layers.py --rounds 40
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder import confine, sandbox
from autograder.config import Limits
from autograder.subject import RemoteSubject, Session

LIMITS = Limits(cpu_seconds=60, wall_seconds=120, memory_mb=1024)
CALLS = 200
SOURCE = "def double(x):\n    return x * 2\n"
STACKED = ("undumpable", "user", "namespaces", "landlock", "seccomp")


def first_answer(launcher: sandbox.Launcher) -> tuple[float, Session]:
    """Seconds from asking for a worker to its first answer, and a session with it."""
    started = time.perf_counter()
    session = Session(launcher.take(LIMITS))
    session.call("load", {"student": {"file": "student.py", "source": SOURCE, "support": None, "names": []}})
    return time.perf_counter() - started, session


def per_call(session: Session) -> float:
    """Seconds that a call with a small tensor takes."""
    hw = RemoteSubject(session, {"double": "student"}, None)
    x = torch.ones(5, 4)
    double = hw.double
    double(x)
    started = time.perf_counter()
    for _ in range(CALLS):
        double(x)
    return (time.perf_counter() - started) / CALLS


def measure(launcher: sandbox.Launcher) -> tuple[float, float, float]:
    """What a worker's start takes when none is ready, when one is, and what a call takes; seconds."""
    if isinstance(launcher, sandbox.Zygote):
        launcher.discard()
    start, session = first_answer(launcher)
    call = per_call(session)  # meanwhile the next one is made ready
    session.transport.close()
    ready, session = first_answer(launcher)
    session.transport.close()
    return start, ready, call


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40, help="workers of each kind (default 40)")
    rounds = parser.parse_args().rounds
    kinds: dict[str, Callable[[], sandbox.Launcher]] = {
        "same process": sandbox.SameProcess,
        "no layer": sandbox.Zygote,
        **{layer: lambda layer=layer: sandbox.Zygote([layer]) for layer in STACKED},
        "all layers": lambda: sandbox.Zygote(sandbox.WANTED["sandbox"]),
    }
    confine.undumpable()
    launchers = {name: make() for name, make in kinds.items()}
    figures: dict[str, list[tuple[float, ...]]] = {name: [] for name in kinds}
    for _ in track(range(rounds), "workers"):
        for name, launcher in launchers.items():
            figures[name].append(measure(launcher))
    cold = statistics.median(first_answer(sandbox.ColdStart())[0] for _ in range(3))
    for launcher in launchers.values():
        launcher.close()

    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in figures.items()
    }
    base = medians["no layer"]
    table = Table("worker with", title=f"medians of {rounds}: ms, and as a ratio to `no layer`")
    for column in ("start", "", "start of a ready one", "", "call", ""):
        table.add_column(column, justify="right")
    for name, found in medians.items():
        cells = [(f"{1e3 * value:.2f}", f"{value / of:.2f}") for value, of in zip(found, base, strict=True)]
        table.add_row(name, *(text for cell in cells for text in cell))
    table.add_row("a new interpreter", f"{1e3 * cold:.0f}", f"{cold / base[0]:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
