"""Calibration: thresholds are the prediction bound that they claim to be; checks are held against them."""

from __future__ import annotations

import json
import math
import random
import statistics
from pathlib import Path

import pytest

from autograder import calibration
from autograder.calibration import Calibration, student_t_quantile, summarise
from autograder.config import Homework
from autograder.errors import ConfigError

# NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2: upper critical values of Student's t.
NIST = {
    2: {0.90: 1.886, 0.95: 2.920, 0.975: 4.303, 0.99: 6.965, 0.995: 9.925, 0.999: 22.327},
    3: {0.90: 1.638, 0.95: 2.353, 0.975: 3.182, 0.99: 4.541, 0.995: 5.841, 0.999: 10.215},
    5: {0.90: 1.476, 0.95: 2.015, 0.975: 2.571, 0.99: 3.365, 0.995: 4.032, 0.999: 5.893},
    10: {0.90: 1.372, 0.95: 1.812, 0.975: 2.228, 0.99: 2.764, 0.995: 3.169, 0.999: 4.144},
    29: {0.90: 1.311, 0.95: 1.699, 0.975: 2.045, 0.99: 2.462, 0.995: 2.756, 0.999: 3.396},
    100: {0.90: 1.290, 0.95: 1.660, 0.975: 1.984, 0.99: 2.364, 0.995: 2.626, 0.999: 3.174},
}


@pytest.fixture
def made(tmp_path: Path) -> Homework:
    """A homework with a place for a calibration file."""
    return Homework(root=tmp_path, title="t", calibration="c.json", questions=({"name": "a", "points": 1},))


@pytest.mark.parametrize("freedom", NIST)
def test_quantiles_are_those_of_the_printed_table(freedom):
    """To the three digits after the point that the table gives."""
    for probability, value in NIST[freedom].items():
        assert student_t_quantile(probability, freedom) == pytest.approx(value, abs=6e-4)


@pytest.mark.parametrize("p", [0.6, 0.95, 0.9999, 0.999999])
def test_quantiles_with_a_closed_form(p):
    """One and two degrees of freedom have one: tan(pi (p - 1/2)), and (2p - 1) / sqrt(2 p (1 - p))."""
    assert student_t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-6)
    assert student_t_quantile(p, 2) == pytest.approx((2 * p - 1) / math.sqrt(2 * p * (1 - p)), rel=1e-9)


@pytest.mark.parametrize("freedom", [4, 7, 49, 50, 199, 200])
def test_quantiles_by_integration(freedom):
    """The density, integrated from 0 to the quantile by Simpson's rule, gives the probability back."""
    log_scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2

    def density(t: float) -> float:
        return math.exp(log_scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))

    upper, steps = student_t_quantile(1 - calibration.FALSE_FAILURE_RATE, freedom), 4000
    inner = sum((4 if i % 2 else 2) * density(upper * i / steps) for i in range(1, steps))
    area = (density(0.0) + inner + density(upper)) * upper / steps / 3
    assert 0.5 + area == pytest.approx(1 - calibration.FALSE_FAILURE_RATE, abs=1e-9)


def test_the_threshold_is_the_prediction_bound():
    """`mean - t s sqrt(1 + 1/n)`: worked out by hand, t = 22.204 for p = 0.9999 and 3 degrees of freedom."""
    found = summarise([0.96, 0.97, 0.97, 0.98])
    assert found["threshold"] == pytest.approx(0.97 - 22.204 * math.sqrt(2e-4 / 3) * math.sqrt(1.25), abs=1e-4)
    assert (found["mean"], found["seeds"], found["lowest"], found["highest"]) == (0.97, 4, 0.96, 0.98)
    assert found["standard_deviation"] == pytest.approx(statistics.stdev([0.96, 0.97, 0.97, 0.98]), abs=1e-6)
    assert found["false_failure_rate"] == 1e-4


def test_the_threshold_fails_as_often_as_it_says(monkeypatch):
    """With a rate that can be simulated, 1 in 20, that share of new values lies below (5 standard errors)."""
    monkeypatch.setattr(calibration, "FALSE_FAILURE_RATE", 0.05)
    quantile = student_t_quantile(0.95, 9)
    monkeypatch.setattr(calibration, "student_t_quantile", lambda probability, freedom: quantile)
    draw, trials = random.Random(0), 20_000
    below = sum(draw.gauss() < summarise([draw.gauss() for _ in range(10)])["threshold"] for _ in range(trials))
    assert below / trials == pytest.approx(0.05, abs=5 * math.sqrt(0.05 * 0.95 / trials))


@pytest.mark.parametrize("draw", [lambda r: r.gauss(), lambda r: -r.gammavariate(2, 1), lambda r: -r.expovariate(1)])
def test_a_longer_tail_does_not_fail_more_often(draw, monkeypatch):
    """With 100 values, a new one of a normal, a gamma or an exponential distribution lies below at most as often."""
    monkeypatch.setattr(calibration, "FALSE_FAILURE_RATE", 0.01)
    quantile = student_t_quantile(0.99, 99)
    monkeypatch.setattr(calibration, "student_t_quantile", lambda probability, freedom: quantile)
    random_, trials = random.Random(0), 8_000
    below = sum(draw(random_) < summarise([draw(random_) for _ in range(100)])["threshold"] for _ in range(trials))
    assert below / trials <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / trials)


def test_the_tail_counts_only_when_there_is_one():
    """Of 99 values the normal bound is taken; of 100 with a long tail, one that is lower."""
    values = [1 - 0.001 * (index % 10) for index in range(100)]
    values[:5] = [0.9, 0.91, 0.92, 0.93, 0.94]
    normal = calibration._normal_bound
    assert summarise(values[1:])["threshold"] == round(normal(values[1:]), 5)
    assert summarise(values)["threshold"] < normal(values) - 0.05


def test_values_are_kept(made):
    """What was measured can be looked at, and the file reads well."""
    values = [0.96, 0.97, 0.98]
    path = calibration.write(made, {"test_accuracy": values}, {"torch": "2"})
    assert json.loads(path.read_text())["quantities"]["test_accuracy"]["values"] == values
    assert "0.96, 0.97, 0.98" in path.read_text()


def test_equal_values_are_their_own_threshold():
    """A quantity that never varies leaves no room."""
    assert summarise([0.5] * 5)["threshold"] == 0.5


def test_at_least_holds_a_value_against_the_file(made):
    """What was written is what checks are held against; the message gives both numbers."""
    values = [0.96, 0.97, 0.97, 0.98, 0.96]
    calibration.write(made, {"test_accuracy": values}, {"torch": "2"})
    held = Calibration(made, {})
    threshold = held.threshold("test_accuracy")
    assert threshold == summarise(values)["threshold"]
    held.at_least("test_accuracy", threshold)
    held.at_least("test_accuracy", 1.0)
    with pytest.raises(AssertionError, match=rf"test accuracy: 0\.1000 is below {threshold:.4f}"):
        held.at_least("test_accuracy", 0.1)
    with pytest.raises(AssertionError):
        held.at_least("test_accuracy", math.nan)


def test_the_file_is_json_with_versions(made):
    """Someone who reads it finds the versions, and the quantities in order."""
    calibration.write(made, {"b": [1.0, 2.0, 3.0], "a": [1, 2, 3]}, {"torch": "2.13.0"})
    content = json.loads(made.path("c.json").read_text())
    assert content["versions"] == {"torch": "2.13.0"}
    assert list(content["quantities"]) == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        "{}",
        '{"quantities": {}}',
        '{"quantities": {"a": {}}}',
        '{"quantities": {"a": {"threshold": "high"}}}',
    ],
    ids=["no-file", "empty", "list", "object", "no-quantity", "no-threshold", "text"],
)
def test_no_threshold_is_the_instructors_to_mend(made, text):
    """Without a threshold the check is not failed: ConfigError, and the command that measures."""
    if text is not None:
        made.path("c.json").write_text(text)
    with pytest.raises(ConfigError, match="autograder calibrate"):
        Calibration(made, {}).at_least("a", 1.0)


def test_measuring_records_and_judges_nothing(made):
    """While it is measured, a quantity is noted down, and no file is needed."""
    measured: dict[str, float] = {}
    Calibration(made, measured, held=False).at_least("a", 0.25)
    assert measured == {"a": 0.25}


def test_an_interrupted_calibration_goes_on(made):
    """Runs are kept by seed until the calibration is complete; those of other versions, or a torn line, are not."""
    first = calibration.Journal(made, {"torch": "2"})
    first.add(3, {"accuracy": 0.5})
    first.add(1, {"accuracy": 0.25})
    with first.path.open("a", encoding="utf-8") as file:
        file.write('[2, {"accur')
    second = calibration.Journal(made, {"torch": "2"})
    assert second.runs == {3: {"accuracy": 0.5}, 1: {"accuracy": 0.25}}
    second.add(2, {"accuracy": 0.75})
    assert calibration.Journal(made, {"torch": "2"}).measured([1, 2, 3]) == {"accuracy": [0.25, 0.75, 0.5]}
    assert calibration.Journal(made, {"torch": "3"}).runs == {}
    second.remove()
    assert not second.path.exists()


def test_a_journal_of_another_homework_is_forgotten(made, tmp_path):
    """Another solution, other data or another salt: what was measured counts no more."""
    calibration.Journal(made, {}).add(0, {"accuracy": 1.0})
    salted = made.model_copy(update={"salt": "another"})
    assert calibration.Journal(salted, {}).runs == {}
    calibration.Journal(made, {}).add(0, {"accuracy": 1.0})
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "a.py").write_text("x = 1", encoding="utf-8")
    assert calibration.Journal(made, {}).runs == {}
