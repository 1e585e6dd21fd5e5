"""Runs a question's probe on a submission, and writes down what it saw as plain JSON values.

A probe is a function `probe(hw, see)` in `probes/<question>.py` beside the hidden checks. It gives the student's code
fixed inputs and names what comes: `see("the product", lambda: hw.MatMul.apply(X, Y))`. What is named must be what the
contract fixes, so that every right answer shows the same; `diagnosis` compares it with the solution and the mutants.
"""

from __future__ import annotations

import binascii
import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from _pytest.pathlib import ImportMode, import_path

from .config import Homework, Limits
from .errors import AutograderError, ConfigError, WorkerLost
from .loading import Code
from .sandbox import Launcher
from .subject import RemoteSubject, Session

PROBES = "probes"  # below the hidden checks
SEED = 0
CPU_SECONDS = 5.0  # at most, of a probe
MAX_ENTRIES = 256  # of one observation
MAX_TEXT = 200  # characters of a text that came from student code


class Sight:
    """What a probe has seen so far: the `see` that it is given."""

    def __init__(self, hw: RemoteSubject):
        self.hw = hw
        self.behaviour: dict[str, Any] = {}

    def __call__(self, name: str, look: Callable[[], Any], *, tolerance: float | None = None) -> Any:
        """Look at something, and write down what came of it.

        Args:
            name: of the observation; every one has another.
            look: calls student code. Both sides are seeded before, from the name.
            tolerance: relative to the largest number, or to 1; what rounding explains if None.

        Returns:
            what `look` returned, or None if it raised.
        """
        if name in self.behaviour:
            raise ConfigError(f"a probe sees {name!r} twice")
        self.hw.seed(binascii.crc32(name.encode()))
        value = None
        try:
            value = look()
            self.behaviour[name] = written(value, tolerance)
        except AutograderError as error:
            if isinstance(error, ConfigError):
                raise
            self.behaviour[name] = ["raises", type(error).__name__]
        except WorkerLost as error:
            self.behaviour[name] = ["lost", type(error).__name__]
            raise
        except Exception as error:  # what student code gave cannot be used as the contract says
            self.behaviour[name] = ["raises", getattr(error, "type_name", type(error).__name__)[:MAX_TEXT]]
        return value


def observe(homework: Homework, question: str, code: Code, launcher: Launcher) -> dict[str, Any] | None:
    """What the question's probe sees of this code, up to where a worker was lost; None where there is no probe.

    Raises:
        ConfigError: the probe is wrong.
        ZygoteGone: no worker can be started any more.
    """
    path = homework.path(homework.hidden_checks) / PROBES / f"{question}.py"
    if not path.is_file():
        return None
    probe = _load(path, homework.root)
    seconds = min(CPU_SECONDS, homework.limits.cpu_seconds)
    limits = Limits(**{**homework.limits.model_dump(), "cpu_seconds": seconds})
    provider = {name: provided.name for name, provided in homework.provider.items()}
    worker = launcher.take(limits)
    try:
        session = Session(worker)
        session.call("load", code.modules(homework.question(question)))
        sight = Sight(RemoteSubject(session, provider, homework.path(homework.hidden_checks) / "support"))
        sight.hw.seed(SEED)  # what a probe draws before it looks at anything
        with contextlib.suppress(WorkerLost):
            probe(sight.hw, sight)
        return sight.behaviour
    finally:
        worker.close()


def _load(path: Path, root: Path) -> Callable[[Any, Sight], None]:
    try:
        module = import_path(path, mode=ImportMode.importlib, root=root, consider_namespace_packages=False)
        return module.probe
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ConfigError(f"{path} has no usable probe(hw, see): {error}") from error


def written(value: Any, tolerance: float | None = None) -> Any:
    """A value as plain JSON, numbers rounded to twelve digits; anything but numbers, texts and tensors is an object."""
    return _written(value, tolerance, itertools.count())


def _written(value: Any, tolerance: float | None, entries: Iterator[int]) -> Any:
    """The same; what comes after MAX_ENTRIES is left out, for student code says how much comes."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else str(value)[:MAX_TEXT]
    if isinstance(value, float):
        return ["number", _number(value), tolerance]
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, torch.Tensor) and not value.is_complex():
        few = value.numel() <= MAX_ENTRIES  # of more, only the shape
        found = value.detach().flatten().to(torch.float64).tolist() if few else []
        dtype = str(value.dtype).removeprefix("torch.")
        return ["tensor", dtype, list(value.shape), [_number(entry) for entry in found], tolerance]
    if isinstance(value, list | tuple):
        return ["list", *(_written(item, tolerance, entries) for item in value if next(entries) < MAX_ENTRIES)]
    return ["object"]


def _number(number: float) -> float | str:
    return float(f"{number:.12g}") if math.isfinite(number) else str(number)
