"""Waivers: an instructor lifts a ban, for one submission or all, in the homework's file or the class's."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.bans import parse_facts, violations
from autograder.cli import app
from autograder.config import Homework, Waiver, load_homework, load_waivers
from autograder.errors import ConfigError
from autograder.facts import facts_of

MINI = Path(__file__).parent / "mini"
BANNED = "import torch\n\n\ndef square(x):\n    return torch.nn.functional.relu(x) ** 2 + torch.nn.functional.relu(-x) ** 2\n"
FOR_ALL = "[[waiver]]\nquestion = 'square'\nname = 'torch.nn.functional.relu'\nreason = 'shown in class'\n"


@pytest.fixture
def homework(tmp_path: Path) -> Homework:
    """A copy of the tiny homework, which bans torch.nn, and two submissions that use it."""
    shutil.copytree(MINI, tmp_path / "mini")
    for name in ("alice", "bob"):
        folder = tmp_path / "class" / name
        folder.mkdir(parents=True)
        (folder / "square.py").write_text(BANNED, encoding="utf-8")
    return load_homework(tmp_path / "mini")


def scores(homework: Homework, tmp_path: Path, *options: str) -> dict[str, float]:
    """The score of each submission in the question square, and what its results say."""
    arguments = ["grade", str(tmp_path / "class"), "-o", str(tmp_path / "out"), "--homework", str(homework.root)]
    done = CliRunner().invoke(app, [*arguments, "--question", "square", "--isolation", "none", *options])
    assert done.exit_code == 0, done.output
    read = {name: json.loads((tmp_path / "out" / name / "results.json").read_text()) for name in ("alice", "bob")}
    for name, results in read.items():
        assert ("waived: square.py:5 uses torch.nn.functional.relu" in results["output"]) == (results["score"] > 0), (
            name
        )
    return {name: results["score"] for name, results in read.items()}


def test_the_homeworks_file_and_the_classs(homework, tmp_path):
    """Without a waiver both lose the question; with the homework's none does; with the class's, only who is not named."""
    assert scores(homework, tmp_path) == {"alice": 0, "bob": 0}
    (tmp_path / "class.toml").write_text(FOR_ALL + "submission = 'bob'\n", encoding="utf-8")
    assert scores(homework, tmp_path, "--waivers", str(tmp_path / "class.toml")) == {"alice": 0, "bob": 10}
    homework.path("waivers.toml").write_text(FOR_ALL, encoding="utf-8")
    assert scores(homework, tmp_path) == {"alice": 10, "bob": 10}


@pytest.mark.parametrize(
    ("waived", "lifted"),
    [
        ("torch.nn.functional.relu", True),
        ("torch.nn.functional.*", True),
        ("torch.nn.*", True),
        (".relu", True),
        ("torch.nn.functional.elu", False),
        ("torch.nn.functional", False),
        (".elu", False),
    ],
)
def test_how_a_waiver_is_written(homework, waived, lifted):
    """As a ban is: a name, a name with a star, or an attribute."""
    facts = {"square.py": parse_facts(facts_of(BANNED.encode(), "square.py"))}
    assert (violations(homework, homework.question("square"), facts, [waived]) == ()) == lifted


def test_a_narrow_waiver_does_not_lift_what_hides_a_name(homework):
    """Whoever may use one function of a module may not use a name of it that cannot be seen."""
    source = "import torch\n\n\ndef square(x):\n    return getattr(torch.nn.functional, input())(x)\n"
    facts = {"square.py": parse_facts(facts_of(source.encode(), "square.py"))}
    square = homework.question("square")
    assert violations(homework, square, facts)
    assert violations(homework, square, facts, ["torch.nn.functional.relu"])
    assert not violations(homework, square, facts, ["torch.nn.*"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[waiver]]\nquestion = 'square'\nname = 'x'\n", "reason: Field required"),
        ("[[waiver]]\nquestion = 'circle'\nname = 'x'\nreason = 'y'\n", "there is no question 'circle'"),
        ("[[waivers]]\n", "not 'waivers'"),
        ("[[waiver]", "not valid TOML"),
        ("waiver = 3", "not valid TOML|waiver"),
    ],
)
def test_a_bad_file_is_refused(homework, tmp_path, text, message):
    """One line says which file, and what is wrong with it."""
    file = tmp_path / "class.toml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_waivers(homework, file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_waivers(homework, tmp_path / "missing.toml")


def test_no_file_is_no_waiver(homework):
    """The homework's own file need not be there."""
    assert load_waivers(homework) == ()
    homework.path("waivers.toml").write_text(FOR_ALL, encoding="utf-8")
    assert load_waivers(homework) == (
        Waiver(question="square", name="torch.nn.functional.relu", reason="shown in class"),
    )
