"""The configuration: the one that ships is right; a wrong one is told in one line, with place and problem."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from autograder.config import Homework, Limits, load_homework
from autograder.errors import ConfigError

PROVIDED = {
    "autograd_basics": (10, ["gradient_of"]),
    "matmul": (10, ["MatMul"]),
    "gradient_check": (15, ["gradients_are_correct"]),
    "linear": (10, ["Linear"]),
    "relu": (5, ["ReLU"]),
    "cross_entropy_loss": (10, ["CrossEntropyLoss"]),
    "two_layer_nn": (5, ["TwoLayerNN"]),
    "sequential": (5, ["Sequential"]),
    "sgd": (10, ["SGD"]),
    "training": (10, ["loss_01", "epoch"]),
    "mnist": (10, []),
}
QUESTION = '[[tool.autograder.questions]]\nname = "{name}"\nfile = "{name}.py"\npoints = 1\n{more}\n'


def write(folder: Path, text: str) -> Path:
    """A homework's folder with this pyproject.toml."""
    (folder / "assignment").mkdir(exist_ok=True)
    (folder / "solutions").mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def table(more: str = "", question: str = "", head: str = 'title = "t"') -> str:
    """A right configuration, with something added."""
    return f"[tool.autograder]\n{head}\n{QUESTION.format(name='linear', more=question)}{more}"


# -- the homework that ships ---------------------------------------------------------------------------------


def test_the_questions_are_those_of_the_design(homework):
    """Names, contract names and points; one hundred points in all."""
    assert {q.name: (q.points, list(q.provides)) for q in homework.questions} == PROVIDED
    assert sum(q.points for q in homework.questions) == 100


def test_every_question_has_its_files(homework):
    """A solution, a stub, public and hidden checks; support code wherever there is a file to replace."""
    for question in homework.questions:
        assert homework.path(f"{homework.public_checks}/test_{question.name}.py").is_file()
        assert homework.path(f"{homework.hidden_checks}/test_{question.name}.py").is_file()
        for folder in (homework.solutions, homework.assignment, f"{homework.hidden_checks}/support"):
            assert question.file is None or homework.path(f"{folder}/{question.file}").is_file()


def test_only_the_last_question_needs_others(homework):
    """Questions are judged alone, but for the one that trains a network of the student's own parts."""
    assert [q.name for q in homework.questions if q.needs] == ["mnist"]
    assert homework.question("mnist").file is None


def test_lookups(homework):
    """By file, by contract name and by name; an unknown name is told with the known ones."""
    assert homework.by_file["sgd.py"].name == homework.provider["SGD"].name == homework.question("sgd").name
    assert set(homework.provider) == {name for _, names in PROVIDED.values() for name in names}
    with pytest.raises(ConfigError, match=r"no question 'sdg'; the questions are autograd_basics, matmul"):
        homework.question("sdg")


def test_a_homework_is_frozen(homework):
    """Nothing can change what was read."""
    with pytest.raises(ValidationError):
        homework.title = "another"
    with pytest.raises(ValidationError):
        homework.limits.cpu_seconds = 1


# -- finding it ----------------------------------------------------------------------------------------------


def test_the_nearest_folder_above_is_found(tmp_path, monkeypatch):
    """A pyproject.toml without our table is passed by on the way up; a folder that is named is not."""
    write(tmp_path, table())
    below = tmp_path / "some" / "where"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    monkeypatch.chdir(below)
    assert load_homework().root == tmp_path.resolve()
    with pytest.raises(ConfigError, match=r"no pyproject\.toml with \[tool\.autograder\]"):
        load_homework(below)


def test_defaults(tmp_path):
    """Little needs to be said."""
    homework = load_homework(write(tmp_path, table()))
    assert homework.limits == Limits(cpu_seconds=10, wall_seconds=60, memory_mb=2048)
    assert homework.hidden_checks == "autograder/checks"
    assert homework.demo == ()


def test_a_module_of_the_homeworks_own(tmp_path):
    """A data.py beside the assignment can be imported here; a missing one is told by its path."""
    homework = load_homework(write(tmp_path, table()))
    (tmp_path / "assignment" / "data.py").write_text("answer = 42\n")
    assert homework.load_module("assignment/data.py").answer == 42
    with pytest.raises(ConfigError, match=r"none\.py is missing"):
        homework.load_module("assignment/none.py")


# -- what may be wrong with it -------------------------------------------------------------------------------

SECOND = QUESTION.format(name="linear", more="")
WRONG: dict[str, tuple[str, str]] = {
    "not-toml": ("[tool.autograder\n", "not valid TOML"),
    "no-table": ("[project]\nname = 'x'\n", "no pyproject.toml with"),
    "tool-is-a-number": ("tool = 3\n", "tool"),
    "table-is-a-number": ("[tool]\nautograder = 3\n", "[tool.autograder]"),
    "no-title": (table(head=""), "title: Field required"),
    "title-is-a-number": (table(head="title = 3"), "title: Input should be a valid string"),
    "no-questions": ('[tool.autograder]\ntitle = "t"\n', "questions: Field required"),
    "empty-questions": ('[tool.autograder]\ntitle = "t"\nquestions = []\n', "questions: "),
    "misspelt": (table(head='title = "t"\nsolution = "s"'), "solution: Extra inputs are not permitted"),
    "misspelt-in-question": (table(question="point = 3"), "questions.0.point: Extra inputs"),
    "misspelt-limit": (table(more="[tool.autograder.limits]\nseconds = 3\n"), "limits.seconds: Extra inputs"),
    "no-points": (
        '[tool.autograder]\ntitle = "t"\n[[tool.autograder.questions]]\nname = "a"\n',
        "questions.0.points",
    ),
    "text-points": (
        table().replace("points = 1", 'points = "many"'),
        "questions.0.points: Input should be a valid number",
    ),
    "negative-points": (table().replace("points = 1", "points = -1"), "greater than or equal to 0"),
    "infinite-points": (
        table().replace("points = 1", "points = inf"),
        "questions.0.points: Input should be a finite number",
    ),
    "points-that-are-none": (table().replace("points = 1", "points = nan"), "questions.0.points"),
    "name-with-a-dash": (
        table().replace('name = "linear"', 'name = "li-near"'),
        "questions.0.name: String should match",
    ),
    "file-outside": (
        table().replace('"linear.py"', '"../linear.py"'),
        "questions.0.file: String should match",
    ),
    "file-of-another-name": (
        table().replace('"linear.py"', '"layer.py"'),
        "'linear': its file must be linear.py",
    ),
    "question-twice": (table(more=SECOND), "question 'linear' is there twice"),
    "name-twice": (
        table(question='provides = ["A"]', more=QUESTION.format(name="relu", more='provides = ["A"]')),
        "name 'A' is there twice",
    ),
    "name-twice-in-one": (table(question='provides = ["A", "A"]'), "name 'A' is there twice"),
    "needs-nothing-known": (
        table(question='needs = ["relu"]'),
        "question 'linear' needs 'relu', which is not a question",
    ),
    "no-time": (
        table(more="[tool.autograder.limits]\ncpu_seconds = 0\n"),
        "limits.cpu_seconds: Input should be greater than 0",
    ),
    "endless-time": (table(more="[tool.autograder.limits]\nwall_seconds = inf\n"), "limits.wall_seconds"),
    "little-memory": (table(more="[tool.autograder.limits]\nmemory_mb = 8\n"), "limits.memory_mb"),
    "ban-without-list": (table(more='[tool.autograder.bans]\nnames = "torch.nn"\n'), "bans.names"),
    "sample-without-name": (
        table(more="[[tool.autograder.demo]]\nscore = 1\n"),
        "demo.0.name: Field required",
    ),
    "no-assignment": (table(head='title = "t"\nassignment = "nowhere"'), "the folder nowhere does not exist"),
    "no-solutions": (table(head='title = "t"\nsolutions = "nowhere"'), "the folder nowhere does not exist"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_configuration_is_told_in_a_line(tmp_path, name):
    """One line: the file, the place in it, and what was wanted there."""
    text, words = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        load_homework(write(tmp_path, text))
    message = str(caught.value)
    assert words in message
    assert "pyproject.toml" in message
    assert "\n" not in message


def test_a_file_that_is_not_text(tmp_path):
    """Bytes that are not UTF-8 are no TOML."""
    write(tmp_path, "")
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_homework(tmp_path)


def test_no_folder_at_all(tmp_path):
    """A folder that does not exist has no homework, and the message says how to name one."""
    with pytest.raises(ConfigError, match="--homework"):
        load_homework(tmp_path / "nowhere")


def test_limits_cross_as_json():
    """A check's own limits go to the zygote as JSON and come back the same."""
    limits = Limits(cpu_seconds=1.5, memory_mb=100)
    assert Limits(**json.loads(json.dumps(limits.model_dump()))) == limits


def test_a_homework_without_a_file_is_built_in_code(tmp_path):
    """Tests and tools may write one down as values."""
    homework = Homework(root=tmp_path, title="t", questions=({"name": "a", "points": 1},))
    assert homework.question("a").file is None
