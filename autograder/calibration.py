"""Thresholds that come from measured runs of the solution, with the false-failure rate that they stand for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .config import Homework
from .errors import ConfigError

FALSE_FAILURE_RATE = 1e-4  # of a right answer, for each calibrated quantity
TENTH, TAIL_FROM = 10, 100  # the part of the values that is their tail, and how many values are enough for one


class Calibration:
    """The fixture `calibration`: holds measured quantities against their thresholds.

    Args:
        homework: whose calibration file to read.
        measured: where quantities are recorded.
        held: whether they must reach their thresholds; not while these are measured.
    """

    def __init__(self, homework: Homework, measured: dict[str, float], held: bool = True):
        self.homework, self.measured, self.held = homework, measured, held

    def at_least(self, name: str, value: float) -> None:
        """Assert that a quantity reaches its threshold.

        Raises:
            AssertionError: it does not.
            ConfigError: the homework has no threshold of this name.
        """
        self.measured[name] = float(value)
        if not self.held:
            return
        threshold = self.threshold(name)
        assert value >= threshold, f"{name.replace('_', ' ')}: {value:.4f} is below {threshold:.4f}"

    def threshold(self, name: str) -> float:
        """The calibrated threshold of a quantity."""
        path = self.homework.path(self.homework.calibration)
        try:
            return float(json.loads(path.read_text(encoding="utf-8"))["quantities"][name]["threshold"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} has no threshold {name!r}: run `autograder calibrate`") from error


def summarise(values: Sequence[float]) -> dict[str, Any]:
    """Mean, spread and threshold of a quantity measured over several seeds.

    One more value falls below the threshold with a probability of `FALSE_FAILURE_RATE`. It is the lower one of two:
    what follows if values are normally distributed, and, from `TAIL_FROM` values on, what their own lower tail says.
    """
    bounds = [_normal_bound(values)]
    if len(values) >= TAIL_FROM:
        bounds.append(_tail_bound(values))
    return {
        "threshold": round(min(bounds), 5),
        "mean": round(statistics.fmean(values), 6),
        "standard_deviation": round(statistics.stdev(values), 6),
        "lowest": min(values),
        "highest": max(values),
        "seeds": len(values),
        "false_failure_rate": FALSE_FAILURE_RATE,
    }


def _normal_bound(values: Sequence[float]) -> float:
    """The lower bound of a one-sided prediction interval for one more value of a normal distribution.

    It is `mean - t * s * sqrt(1 + 1/n)`, with `t` the quantile of Student's t with n - 1 degrees of freedom at
    `FALSE_FAILURE_RATE`. Source: Hahn and Meeker, Statistical Intervals (1991), section 4.7.
    """
    count = len(values)
    quantile = student_t_quantile(1 - FALSE_FAILURE_RATE, count - 1)
    return statistics.fmean(values) - quantile * statistics.stdev(values) * math.sqrt(1 + 1 / count)


def _tail_bound(values: Sequence[float]) -> float:
    """The same if how far values lie below the lowest tenth's upper end is exponentially distributed.

    Beyond a limit far enough out, the tail of a distribution such as the normal or the gamma is an exponential one, or
    lighter. Sources: Pickands, Statistical Inference Using Extreme Order Statistics (Annals of Statistics 3, 1975); for
    the mean of k excesses being an estimate, the predictive distribution `(1 + x / (k * mean)) ** -k` of Aitchison and
    Dunsmore, Statistical Prediction Analysis (1975).
    """
    ordered = sorted(values)
    count = len(ordered) // TENTH
    limit, excesses = ordered[count], [ordered[count] - value for value in ordered[:count]]
    rarer = count / len(ordered) / FALSE_FAILURE_RATE
    return limit - sum(excesses) * (rarer ** (1 / count) - 1)


def student_t_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t, by bisection of its distribution function; good to 1e-9 for freedom of 2 or more."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_t_cdf(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def _student_t_cdf(t: float, freedom: int) -> float:
    # Abramowitz and Stegun 26.7.3 and 26.7.4: finite sums in theta = atan(t / sqrt(freedom)).
    theta = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(theta), math.sin(theta)
    term, total = (cosine, cosine) if freedom % 2 else (1.0, 1.0)
    for k in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if freedom == 1:
        area = 2 * theta / math.pi
    elif freedom % 2:
        area = 2 * (theta + sine * total) / math.pi
    else:
        area = sine * total
    return 0.5 + area / 2


def write(homework: Homework, measured: Mapping[str, Sequence[float]], versions: Mapping[str, str]) -> Path:
    """Write the calibration file; returns where it is."""
    quantities = {name: {**summarise(values), "values": list(values)} for name, values in sorted(measured.items())}
    content = {"versions": dict(versions), "data": data_digest(homework), "quantities": quantities}
    path = homework.path(homework.calibration)
    text = re.sub(r"\[[^][]*\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), json.dumps(content, indent=2))
    path.write_text(text + "\n", encoding="utf-8")
    return path


def data_digest(homework: Homework) -> str:
    """SHA-256 of the names and contents of the data that thresholds depend on."""
    return _digest(homework, homework.data, "*")


def _digest(homework: Homework, starts: Iterable[str], pattern: str) -> str:
    digest = hashlib.sha256()
    for start in starts:
        path = homework.path(start)
        for file in sorted(path.rglob(pattern)) if path.is_dir() else [path]:
            if file.is_file():
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{file.relative_to(homework.root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


class Journal:
    """The runs of a calibration that was interrupted, in a file beside the calibration's; one line a seed.

    Args:
        homework: the homework.
        versions: those that measure; runs of other versions, or of another homework, are forgotten.
    """

    def __init__(self, homework: Homework, versions: Mapping[str, str]):
        self.path = homework.path(f"{homework.calibration}.partial")
        own = _digest(homework, (homework.solutions, homework.hidden_checks), "*.py")
        self.key = {"versions": dict(versions), "data": data_digest(homework), "homework": own, "salt": homework.salt}
        self.runs: dict[int, dict[str, float]] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # a torn last line
            first, *lines = self.path.read_text(encoding="utf-8").splitlines()
            for line in lines if json.loads(first) == self.key else ():
                seed, quantities = json.loads(line)
                self.runs[int(seed)] = {str(name): float(value) for name, value in quantities.items()}
        rows = [json.dumps(self.key), *(json.dumps(row) for row in self.runs.items())]
        self.path.write_text("\n".join(rows) + "\n", encoding="utf-8")

    def add(self, seed: int, quantities: dict[str, float]) -> None:
        """Keep one run."""
        self.runs[seed] = quantities
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([seed, quantities]) + "\n")

    def measured(self, seeds: Iterable[int]) -> dict[str, list[float]]:
        """For each quantity, its values in the order of the seeds."""
        found: dict[str, list[float]] = {}
        for seed in seeds:
            for name, value in self.runs[seed].items():
                found.setdefault(name, []).append(value)
        return found

    def remove(self) -> None:
        """The calibration is complete."""
        self.path.unlink(missing_ok=True)


def shortfalls(homework: Homework, versions: Mapping[str, str]) -> list[str]:
    """What keeps a homework's thresholds from holding here, a line each; one without a calibration file has none.

    Args:
        homework: the homework.
        versions: those that grade now.
    """
    path = homework.path(homework.calibration)
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured, quantities = content["versions"]["torch"], content["quantities"]
        rates = {name: float(quantity["false_failure_rate"]) for name, quantity in quantities.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{path.name} cannot be read: {error}; run `autograder calibrate`"]
    found = []
    if measured != versions["torch"]:
        found.append(f"thresholds were measured with torch {measured}; this is {versions['torch']}")
    if content.get("data") != data_digest(homework):
        found.append(f"thresholds were measured on other data than {', '.join(homework.data)}")
    for name, rate in rates.items():
        if rate > FALSE_FAILURE_RATE:
            found.append(
                f"{name}: one right answer in {1 / rate:.0f} fails; at most one in {1 / FALSE_FAILURE_RATE:.0f} may"
            )
    return [f"{line}: run `autograder calibrate`" for line in found]
