"""Every attack of tests/attacks, at every level of isolation: none works in the sandbox, each works somewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.attacks import harness

ATTACKS = harness.attacks()
FILES = ("cheating", "daemons", "hogs", "introspection", "state", "system_calls")  # what files may make a difference to
CAP_SYS_ADMIN = 21  # linux/capability.h
TRIES = 6  # more, for an attack's positive control
Run = Callable[[harness.Attack], dict[str, harness.Achieved]]


@pytest.fixture(scope="module")
def levels() -> Iterator[dict[str, harness.Level]]:
    """A grader at each level, started at once."""
    with ThreadPoolExecutor(len(harness.LEVELS)) as threads:
        started = {
            name: threads.submit(harness.Bare) if name == "bare" else threads.submit(harness.Engine, name)
            for name in harness.LEVELS
        }
        found = {name: level.result() for name, level in started.items()}
    yield found
    for level in found.values():
        level.close()


@pytest.fixture(scope="module")
def run(levels: dict[str, harness.Level]) -> Iterator[Run]:
    """Hand an attack in at once at all levels where it may achieve something that another one does not show."""
    with ThreadPoolExecutor(len(levels)) as threads:

        def run(attack: harness.Attack) -> dict[str, harness.Achieved]:
            wanted = {"process", "sandbox", *attack.works} | ({"files"} if attack.family in FILES else set())
            tasks = {name: threads.submit(level.run, attack) for name, level in levels.items() if name in wanted}
            return {name: task.result() for name, task in tasks.items()}

        yield run


def has(need: str) -> bool:
    """Whether this machine has what an attack's positive control needs."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    capabilities = int(re.search(r"^CapEff:\s*(\w+)$", status, re.MULTILINE)[1], 16)
    return {"": True, "root": os.geteuid() == 0, "admin": bool(capabilities >> CAP_SYS_ADMIN & 1)}[need]


def test_there_are_many_and_each_says_what_it_tries():
    """At least sixty, each with a docstring, a known want and levels at which it works, never the sandbox."""
    assert len(ATTACKS) >= 60
    for attack in ATTACKS:
        assert attack.text.startswith('"""'), attack.name
        assert attack.wants in harness.WANTS, attack.name
        assert attack.works and set(attack.works) <= {"bare", "none", "process"}, attack.name


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_an_attack(attack, run, levels):
    """It achieves nothing in the sandbox, no point in any process of its own, and what it wants where it says so."""
    achieved = run(attack)
    for level in achieved.keys() & {"sandbox", "files"}:
        if attack.stopped_by in ("", *levels[level].isolation["layers"]):
            assert achieved[level] == harness.Achieved(), level
    assert achieved["process"].points == 0
    if "process" not in attack.works:
        assert not achieved["process"].got(attack.wants), achieved["process"]
    if not has(attack.needs):
        pytest.skip(f"its positive control needs {attack.needs}")
    for level in attack.works:
        for _ in range(TRIES):  # some are races, which a busy machine decides
            if not achieved[level].got(attack.wants):
                achieved[level] = levels[level].run(attack)
        assert achieved[level].got(attack.wants), (level, achieved[level])


def test_the_plain_wrong_answer_earns_nothing(run):
    """What attacks are compared with: no points at any level."""
    achieved = run(harness.Attack(harness.HERE / "wrong.py"))
    assert {level: came for level, came in achieved.items() if came != harness.Achieved()} == {}
