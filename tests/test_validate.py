"""Validation of the tiny homework: it passes as it is, and whatever is broken makes it fall short."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from autograder import answers
from autograder import validate as validation
from autograder.config import Homework, load_homework
from autograder.results import CheckInfo
from autograder.validate import Bench, Part, Validation

ROOT = Path(__file__).resolve().parents[1]
MINI = Path(__file__).parent / "mini"
Run = Callable[..., Part]


@pytest.fixture(scope="module")
def homework(tmp_path_factory: pytest.TempPathFactory) -> Homework:
    """A copy of the tiny homework, to be broken."""
    root = tmp_path_factory.mktemp("validate") / "mini"
    shutil.copytree(MINI, root)
    return load_homework(root)


@pytest.fixture(scope="module")
def bench(homework: Homework) -> Iterator[Bench]:
    """Graders in two modes."""
    with Bench(homework, ["process", "none"], 1) as bench:
        yield bench


@pytest.fixture
def broken(homework: Homework) -> Iterator[Callable[[str, str], None]]:
    """Write a file of the homework otherwise; everything is as it was afterwards."""

    def write(file: str, text: str) -> None:
        homework.path(file).parent.mkdir(parents=True, exist_ok=True)
        homework.path(file).write_text(text, encoding="utf-8")

    yield write
    shutil.rmtree(homework.root)
    shutil.copytree(MINI, homework.root)


@pytest.fixture
def run(bench: Bench) -> Run:
    """Run one part."""

    def run(part: Callable[..., Part], bench: Bench = bench, found: Validation | None = None) -> Part:
        return part(bench, found or Validation(), lambda: None)

    return run


PARTS = ("solution", "stubs", "mutants", "variants", "generated", "calibration", "bans", "determinism", "leaks")


@pytest.mark.parametrize("name", PARTS)
def test_nothing_falls_short_as_it_is(run, name):
    """Each part tries something, and finds nothing wrong."""
    part = run(getattr(validation, f"{name}_part"))
    assert part.shortfalls == []
    assert part.tried > 0


def square(body: str) -> str:
    """A file of the question square."""
    return f'"""A way."""\n\nimport torch\n\n\ndef square(x: torch.Tensor) -> torch.Tensor:\n    return {body}\n'


def test_a_mutant_that_is_right(run, broken):
    """It is not caught."""
    broken("solutions/mutants/square/right.py", square("x**2"))
    assert run(validation.mutants_part).shortfalls == ["square/right is not caught"]


def test_a_mutant_without_a_hint(run, broken):
    """Its docstring is missing."""
    broken("solutions/mutants/square/silent.py", "def square(x):\n    return x\n")
    assert run(validation.mutants_part).shortfalls == [
        "square/silent has no docstring: the hint that its mistake deserves"
    ]


def test_a_variant_that_is_wrong(run, broken):
    """It does not pass, and the message says where."""
    broken("solutions/variants/square/wrong.py", square("x * x.abs()"))
    shortfalls = run(validation.variants_part).shortfalls
    assert any("square/wrong does not pass checks/test_square.py::test_values: FAILED" in line for line in shortfalls)


def test_modes_that_disagree(run, broken):
    """A file that behaves otherwise in the checks' own process is found."""
    broken("solutions/variants/square/looks.py", square("x * x + ('pytest' in __import__('sys').modules)"))
    shortfalls = run(validation.variants_part).shortfalls
    assert any("is PASSED in mode process, and FAILED in mode none" in line for line in shortfalls)


def test_a_broken_solution(run, broken):
    """The solution does not pass its own checks."""
    broken("solutions/square.py", square("x * x.abs()"))
    assert any(line.startswith("the solution does not pass") for line in run(validation.solution_part).shortfalls)


def test_stubs_that_earn_points(run, broken):
    """A stub that holds an answer is found, by its points and as a leak."""
    broken("assignment/square.py", (MINI / "solutions/square.py").read_text(encoding="utf-8"))
    assert any("the stubs get 10 points in square" in line for line in run(validation.stubs_part).shortfalls)


def test_a_check_that_is_removed(broken, homework):
    """Without the check that alone catches it, a mutant survives."""
    text = homework.path("checks/test_square.py").read_text(encoding="utf-8")
    broken("checks/test_square.py", text.replace("def test_zero", "def not_test_zero"))
    with Bench(homework, ["none"], 1) as bench:
        part = validation.mutants_part(bench, Validation(), lambda: None)
    assert part.shortfalls == ["square/zero is not caught"]


def test_a_solution_line_that_no_check_guards(run, broken):
    """A generated mutant that survives is named, until it is recorded; a record that is wrong falls short too."""
    broken("solutions/square.py", square("x * x * 1.0 if x.is_floating_point() else x * x").replace("A way", "Kept"))
    survivors = run(validation.generated_part).shortfalls
    assert any("no check notices  - return x * x * 1.0 if" in line for line in survivors)
    changes = [line.partition("no check notices  ")[2].replace("  + ", "\n+ ") for line in survivors]
    rows = [
        f"[[equivalent]]\nfile = 'square.py'\nchange = '''{change}'''\nreason = 'a factor of 1'\n" for change in changes
    ]
    broken("solutions/equivalent.toml", "\n".join(rows))
    assert run(validation.generated_part).shortfalls == []
    broken("solutions/equivalent.toml", "\n".join(rows) + "\n[[equivalent]]\nfile='cube.py'\nchange='x'\nreason='y'\n")
    assert "no mutant any more" in run(validation.generated_part).shortfalls[0]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", "Try this:\n```python\ndef f(number):\n    return square(number) * number\n```\n"),
        ("cube.py", "from square import square\n\n\ndef cube(y):\n    return square(y) * y\n"),
        ("tests/more.py", "def f(hw, k):\n    assert hw.cube(hw.square(torch.tensor(2.0))).item() == 64.0\n"),
    ],
)
def test_a_leak(run, broken, file, text):
    """A statement of the solution, or of a hidden check, is found under other names, in documents too."""
    broken(f"assignment/{file}", text)
    assert any(line.startswith(f"{file}, line") for line in run(validation.leaks_part).shortfalls)


def test_thresholds_of_another_torch(run, broken, bench):
    """A calibration file that was made with another torch, or on other data, or too few runs, falls short."""
    content = {"versions": {"torch": "1.0"}, "data": "?", "quantities": {"q": {"false_failure_rate": 0.01}}}
    broken("solutions/calibration.json", json.dumps(content))
    shortfalls = run(validation.calibration_part).shortfalls
    assert [line.partition(":")[0].split()[:3] for line in shortfalls] == [
        ["thresholds", "were", "measured"],
        ["thresholds", "were", "measured"],
        ["q"],
    ]
    broken("solutions/calibration.json", "{")
    assert "cannot be read" in run(validation.calibration_part).shortfalls[0]


def test_a_ban_that_finds_nothing(run, monkeypatch):
    """Every spelling that should have been found is named."""
    monkeypatch.setattr(validation, "violations", lambda *_: ())
    assert any("torch.nn." in line and "is not found" in line for line in run(validation.bans_part).shortfalls)


def test_a_ban_that_finds_too_much(run, monkeypatch):
    """What is exempt and found is named."""
    monkeypatch.setattr(validation, "violations", lambda *_: ("everything",))
    assert any("is exempt" in line for line in run(validation.bans_part).shortfalls)


def test_a_solution_that_changes_its_mind(run, broken):
    """Verdicts that depend on the clock are found."""
    body = "x * x + (__import__('time').time_ns() // 1000 % 2)"
    broken("solutions/square.py", square(body))
    assert any("is not the same" in line for line in run(validation.determinism_part).shortfalls)


def test_what_each_check_catches(broken, homework):
    """Its mutants are counted; a hidden check that catches nothing falls short, and so does one that has grown weak."""
    ids = {"one": "hidden", "two": "hidden", "three": "public", "four": "hidden"}
    infos = [CheckInfo(f"c.py::{name}", "square", "t", 1.0, tier) for name, tier in ids.items()]
    bench = type("Checks", (), {"checks": infos, "homework": homework})
    caught = {"square/a": ["c.py::one"], "square/b": ["c.py::one", "c.py::two"], "square/c": ["c.py::two"]}
    answers.record(homework, {**caught, "square/d": ["c.py::gone"]})
    found = Validation(caught={**caught, "square/c": []})
    part = validation.ablation_part(bench, found, lambda: None)
    assert part.shortfalls == [
        "c.py::two does not catch square/c any more",
        "c.py::four catches no mutant",
        "c.py::gone is gone, which caught square/d",
    ]
    assert part.notes == [
        "c.py::one alone catches square/a",
        "c.py::two catches 1 mutants, each of which its neighbours catch too",
    ]
    assert part.summary == "1 are the only ones to catch some mutant"


def test_a_record_that_is_no_record(broken, homework):
    """It is refused, with the command that makes another."""
    broken("solutions/caught.json", "[1]")
    with pytest.raises(validation.ConfigError, match="validate --record"):
        answers.recorded(homework)


def test_answers_that_are_handed_in_together(homework):
    """Each list has one answer to a question at most; those of several files stand alone."""
    found = answers.answers(homework, "mutants") + answers.answers(homework, "variants")
    lists = answers.together(found)
    assert sorted(answer.name for some in lists for answer in some) == sorted(answer.name for answer in found)
    assert len(lists) < len(found)
    for some in lists:
        questions = [answer.question for answer in some]
        assert len(set(questions)) == len(questions)
        assert len(some) == 1 or all(len(answer.files) == 1 for answer in some)


REMOVED = {  # of the homework that ships: a hidden check, and a mutant that only it catches
    "linear": ("test_weights_are_normal", "uniform.py"),
    "relu": ("test_layouts", "flattens_by_view.py"),
    "sequential": ("test_nesting", "nested_network_lost.py"),
    "sgd": ("test_zero_grad", "zero_grad_multiplies.py"),
    "mnist": ("test_first_steps_of_sequential", "sequential_scaled"),
}


@pytest.fixture(scope="module")
def weakened(tmp_path_factory: pytest.TempPathFactory) -> Homework:
    """The homework that ships without some checks, with the mutants that only these catch."""
    root = tmp_path_factory.mktemp("weakened")
    for name in ("assignment", "solutions", "autograder/checks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("mutants", "variants", "__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    for question, (check, mutant) in REMOVED.items():
        path = root / "autograder" / "checks" / f"test_{question}.py"
        text = path.read_text(encoding="utf-8")
        assert f"def {check}(" in text
        path.write_text(text.replace(f"def {check}(", f"def not_{check}("), encoding="utf-8")
        source = ROOT / "solutions" / "mutants" / question / mutant
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        (root / "solutions" / "mutants" / question).mkdir(parents=True)
        copy(source, root / "solutions" / "mutants" / question / mutant)
    return load_homework(root)


def test_a_check_of_the_real_homework_that_is_removed(weakened):
    """The mutants that it alone caught survive, and the record says that it is gone."""
    with Bench(weakened, ["none"], 2) as bench:
        found = Validation()
        survivors = validation.mutants_part(bench, found, lambda: None).shortfalls
        gone = validation.ablation_part(bench, found, lambda: None).shortfalls
    for question, (check, mutant) in REMOVED.items():
        assert f"{question}/{mutant.removesuffix('.py')} is not caught" in survivors
        assert any(line.startswith(f"autograder/checks/test_{question}.py::{check} is gone") for line in gone)
    others = {f"{question.name} has no mutant" for question in weakened.questions if question.name not in REMOVED}
    assert len(set(survivors) - others) == len(REMOVED)


@pytest.mark.parametrize("mistake", ["linear/weight_transposed", "sgd/ascent", "cross_entropy_loss/sum_for_mean"])
def test_a_solution_of_the_real_homework_that_is_broken(weakened, mistake):
    """A mistake in the reference shows at once, without any mutant."""
    question, _, name = mistake.partition("/")
    path = weakened.path(f"solutions/{question}.py")
    right = path.read_text(encoding="utf-8")
    shutil.copyfile(ROOT / "solutions" / "mutants" / question / f"{name}.py", path)
    try:
        chosen = weakened.model_copy(update={"questions": (weakened.question(question),)})
        with Bench(chosen, ["none"], 1) as bench:
            shortfalls = validation.solution_part(bench, Validation(), lambda: None).shortfalls
    finally:
        path.write_text(right, encoding="utf-8")
    assert any(f"test_{question}.py" in line for line in shortfalls)


MEASURED = """
import pytest


@pytest.mark.parametrize("number", [2.0])
def test_measured(hw, calibration, number):
    \"\"\"The sixth power is near enough.\"\"\"
    import torch
    calibration.at_least("sixth_power", hw.cube(hw.square(torch.tensor(number))).item())


def test_sign(hw):
    \"\"\"It is not 8.\"\"\"
    import torch
    assert hw.cube(torch.tensor(2.0)).item() != 4.0
"""
DETACHED_AND_LESS = '''"""A hint."""


def cube(x):
    return (x * x * x).detach() - 1
'''


def test_margins(broken, homework):
    """Each mutant's distance from the threshold is listed; one that nothing catches falls short."""
    broken("checks/test_both.py", MEASURED)
    broken("solutions/mutants/cube/less.py", DETACHED_AND_LESS)
    broken("solutions/calibration.json", json.dumps({"quantities": {"sixth_power": {"threshold": 63.5}}}))
    both = homework.question("both").model_copy(update={"margins": ("cube",)})
    changed = homework.model_copy(update={"questions": (*homework.questions[:2], both)})
    with Bench(changed, ["none"], 1) as bench:
        found = Validation(caught={"cube/detached": []})
        validation.solution_part(bench, found, lambda: None)
        part = validation.margins_part(bench, found, lambda: None)
    assert part.notes == [
        "cube/detached: +0.5000; passes",
        "cube/large: +0.5000; passes",
        "cube/less: -0.5000; caught by test_measured[2.0]",
        "cube/square: -47.5000; caught by test_measured[2.0]",
    ]
    assert part.summary == "2 below the threshold by 0.5000 or more, 2 train as well, 0 do not train"
    assert part.shortfalls == ["cube/detached trains as well as the solution, and no check of its own catches it"]


def test_a_hidden_check_that_tells(run, monkeypatch):
    """A student who would see what a hidden check says is found."""
    monkeypatch.setattr(validation, "for_student", list)
    assert any("is shown what checks/test_square.py" in line for line in run(validation.mutants_part).shortfalls)


def test_a_mutant_of_a_question_without_a_file(homework):
    """Its folder is laid over the solution, and its hint is that of the file that differs."""
    (mutant,) = [a for a in answers.answers(homework, "mutants") if a.question == "both"]
    assert set(mutant.files) == {"square.py", "cube.py"}
    assert mutant.hint.startswith("Your cube of a square is too large.")


def test_parts_can_be_chosen(homework, capsys):
    """Only what is asked for is run, and told about; an unknown part is refused."""
    told = []
    found = validation.validate(
        homework, only=["leaks"], jobs=1, progress=lambda name, steps: partial(told.append, (name, steps))
    )
    assert [part.name for part in found.parts] == ["leaks"]
    assert told == [("leaks", 1)]
    assert found.passed
    with pytest.raises(validation.ConfigError, match="there is no part 'nonsense'; the parts are calibration, leaks"):
        validation.validate(homework, only=["nonsense"])
