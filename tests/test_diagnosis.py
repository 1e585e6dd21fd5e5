"""Known mistakes are recognised by behaviour alone, right answers never; on plain values, and on a tiny homework."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder import answers, diagnosis, probing
from autograder.config import Homework, load_homework
from autograder.diagnosis import Known, Mistake, alike, deviations, same
from autograder.errors import ConfigError
from autograder.grading import Grading
from autograder.submissions import Submission
from autograder.validate import validate

MINI = Path(__file__).parent / "mini"
PROBE = """
'''What is looked at to recognise a mistake in square.py.'''
import torch

def probe(hw, see):
    '''Look at squares of numbers of either sign.'''
    see("squares", lambda: hw.square(torch.tensor([3.0, -2.0, 0.5])))
    see("of nothing", lambda: hw.square(torch.zeros(0)))
    see("double", lambda: hw.square(torch.tensor([1e-5], dtype=torch.float64)))
"""
HINT = "Your result is not a square of its input but its double. Look at the operator."
DOUBLED = f'"""{HINT}"""\n\n\ndef square(x):\n    return x + x\n'


def tensor(*values: float, dtype: str = "float32") -> list[Any]:
    """An observation of a vector."""
    return ["tensor", dtype, [len(values)], list(values), None]


class TestSame:
    """Two observations, compared."""

    def test_rounding_is_the_same_and_more_is_not(self):
        """In float32 a millionth of a number may be rounding; in float64 it is not."""
        assert same(tensor(1.0, 2.0), tensor(1.000001, 2.0), loose=False)
        assert not same(tensor(1.0, 2.0), tensor(1.01, 2.0), loose=False)
        double, other = tensor(1.0, dtype="float64"), tensor(1.000001, dtype="float64")
        assert not same(double, other, loose=False) and same(double, other, loose=True)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (tensor(1.0), tensor(1.0, dtype="float64")),
            (tensor(1.0), tensor(1.0, 1.0)),
            (tensor(1.0), None),
            (tensor("nan"), tensor(1.0)),
            (["raises", "ValueError"], tensor(1.0)),
            (True, 1),
            ("a", "b"),
            (["list", 1, 2], ["list", 1]),
            (["list", 1], ["list", 2]),
            (["object"], None),
            (["lost", "WorkerCrashed"], ["raises", "ValueError"]),
        ],
    )
    def test_what_differs_differs_however_loosely(self, one: Any, other: Any):
        """Kinds, dtypes, shapes and lengths are compared exactly, in either order."""
        for loose in (False, True):
            assert not same(one, other, loose=loose) and not same(other, one, loose=loose)
            assert same(one, one, loose=loose) and same(other, other, loose=loose)

    def test_which_exception_it_is_does_not_matter(self):
        """The same mistake ends in one or another, by how it is written."""
        assert same(["raises", "IndexError"], ["raises", "RuntimeError"], loose=False)

    @pytest.mark.parametrize("name", sorted(diagnosis.UNLIKE_OTHERS))
    def test_a_misspelled_name_is_no_other_mistake(self, name: str):
        """Whatever a mutant raises in its place, it raises for another reason."""
        assert not same(["raises", name], ["raises", "TypeError"], loose=True)
        assert not same(["raises", "TypeError"], ["raises", name], loose=False)
        assert same(["raises", name], ["raises", name], loose=False)

    def test_a_tolerance_of_its_own(self):
        """A probe says how far a statistic may be off."""
        assert same(["number", 1.0, 0.1], ["number", 1.05, 0.1], loose=False)
        assert not same(["number", 1.0, None], ["number", 1.05, None], loose=False)


class TestKnown:
    """A question's record."""

    known = diagnosis.known(
        {"value": tensor(4.0), "other": True},
        [
            ("q/half", "Look at\nthe half.", {"value": tensor(2.0), "other": True}),
            ("q/false", "Look at the other.", {"value": tensor(4.0), "other": False}),
            ("q/twin", "A twin.", {"value": tensor(4.0), "other": False}),
            ("q/unseen", "Never.", {"value": tensor(4.0), "other": True}),
        ],
    )

    def test_a_mistake_is_recognised_however_it_is_written(self):
        """By what deviates, up to a thousandth."""
        assert self.known.hint({"value": tensor(2.0001), "other": True}) == "Look at the half."

    @pytest.mark.parametrize(
        "seen",
        [
            {"value": tensor(4.0), "other": True},
            {"value": tensor(2.5), "other": True},
            {"value": tensor(2.0), "other": False},
            {"value": tensor(2.0)},
            {},
            {"value": tensor(2.0), "other": True, "more": 1},
        ],
        ids=["right", "unknown", "two mistakes", "cut off", "nothing", "something else besides"],
    )
    def test_no_hint_where_it_would_be_a_guess(self, seen: dict[str, Any]):
        """What is right, unknown, mixed or incomplete gets none."""
        assert self.known.hint(seen) == ""

    def test_two_that_cannot_be_told_apart_give_none(self):
        """Unless their hints are the same, one of them would be wrong."""
        seen = {"value": tensor(4.0), "other": False}
        assert [mistake.name for mistake in self.known.recognise(seen)] == ["q/false", "q/twin"]
        assert self.known.hint(seen) == ""
        alike_hints = Known(
            self.known.solution, tuple(Mistake(m.name, "One.", m.deviations) for m in self.known.mistakes)
        )
        assert alike_hints.hint(seen) == "One."

    def test_what_cannot_be_seen_is_not_recorded(self):
        """A mutant that behaves as the solution does would stand for every right answer."""
        assert "q/unseen" not in [mistake.name for mistake in self.known.mistakes]

    def test_deviations_and_likeness(self):
        """A missing observation is one that deviates."""
        assert deviations({"other": True}, self.known.solution) == {"value": None}
        assert not alike({"value": tensor(1.0)}, {"other": tensor(1.0)})


class TestWritten:
    """Values as plain JSON."""

    @pytest.mark.parametrize(
        ("value", "as_json"),
        [
            (None, None),
            (True, True),
            (3, 3),
            (1 << 60, str(1 << 60)),
            (0.5, ["number", 0.5, None]),
            (float("nan"), ["number", "nan", None]),
            ("x" * 300, "x" * 200),
            (torch.tensor([1.0, float("inf")]), ["tensor", "float32", [2], [1.0, "inf"], None]),
            (torch.zeros(1000), ["tensor", "float32", [1000], [], None]),
            ((1, [2.0]), ["list", 1, ["list", ["number", 2.0, None]]]),
            (torch.tensor(1j), ["object"]),
            (object(), ["object"]),
        ],
    )
    def test_values(self, value: Any, as_json: Any):
        """Numbers, texts and tensors are written down; what is large or odd is only named."""
        assert probing.written(value) == as_json

    def test_what_comes_nested_without_end_is_cut(self):
        """What student code returns must not fill the grader's memory."""
        value: Any = [1.0] * 200
        for _ in range(3):
            value = [value] * 200
        assert str(probing.written(value)).count("number") <= probing.MAX_ENTRIES


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Homework:
    """The tiny homework with a probe, one more mutant, and their record."""
    root = tmp_path_factory.mktemp("tiny") / "homework"
    shutil.copytree(MINI, root, ignore=shutil.ignore_patterns("odd", "__pycache__"))
    (root / "checks/probes").mkdir()
    (root / "checks/probes/square.py").write_text(PROBE)
    for mutant in (root / "solutions/mutants/square").glob("*.py"):
        mutant.unlink()  # this probe is too small for them
    (root / "solutions/mutants/square/doubled.py").write_text(DOUBLED)
    homework = load_homework(root)
    diagnosis.record(homework, validate(homework, only=["hints"], jobs=1, record=True).behaviour)
    return homework


@pytest.fixture(scope="module")
def grading(tiny: Homework) -> Iterator[Grading]:
    """A grader of it."""
    with Grading(tiny, "process") as found:
        yield found


def hints(grading: Grading, source: str) -> dict[str, str]:
    """The hint of each check of square that failed."""
    submission = Submission("x", {"square.py": source.encode(), "cube.py": b"def cube(x):\n    return x**3\n"}, {}, ())
    checks = grading.grade(submission, ["square"]).checks
    return {check.check.name: check.hint for check in checks if check.outcome == "FAILED"}


class TestGrading:
    """From a submission to its hint."""

    def test_the_same_mistake_written_otherwise_gets_its_hint(self, grading: Grading):
        """By behaviour: neither name nor text of the mutant is there."""
        found = hints(grading, "import torch\ndef square(value):\n    return torch.add(value, value)\n")
        assert len(found) >= 3 and set(found.values()) == {HINT}

    def test_an_unknown_mistake_gets_none(self, grading: Grading):
        """Neither from behaviour, nor from what the failing checks compare."""
        found = hints(grading, "def square(x):\n    return x * x + x.abs()\n")
        assert len(found) >= 3 and set(found.values()) == {""}

    def test_a_right_answer_is_not_even_looked_at(self, grading: Grading):
        """Nothing failed."""
        assert hints(grading, "def square(x):\n    return x.square()\n") == {}

    @pytest.mark.parametrize("end", ["import os; os._exit(3)", "while True: pass", "raise KeyError(1)"])
    def test_trouble_while_it_is_looked_at_costs_the_hint_only(self, grading: Grading, end: str):
        """Verdicts are there before; a worker that is lost, or code that raises, gives no hint."""
        source = f"def square(x):\n    if x.numel() == 3 and 0.5 in x:\n        {end}\n    return x + x\n"
        submission = Submission("x", {"square.py": source.encode()}, {}, ())
        checks = {check.check.name: check for check in grading.grade(submission, ["square"]).checks}
        assert (checks["test_values"].outcome, checks["test_values"].hint) == ("FAILED", "")
        assert checks["test_input_is_left_alone"].outcome == "PASSED"

    def test_validation_tells_what_is_not_recognised(self, tiny: Homework, tmp_path: Path):
        """A mutant that its probe cannot tell apart, and one whose behaviour is not recorded, fall short."""
        root = tmp_path / "homework"
        shutil.copytree(tiny.root, root)
        mutants = root / "solutions/mutants/square"
        (mutants / "doubled_too.py").write_text(DOUBLED.replace("its double", "twice as much"))
        (mutants / "tripled.py").write_text(DOUBLED.replace("x + x", "3 * x"))
        (part,) = (p for p in validate(load_homework(root), only=["hints"], jobs=1).parts if p.name == "hints")
        assert [line.partition(":")[0] for line in part.shortfalls] == [
            "square/doubled_too behaves like square/doubled",
            "square/tripled is not recognised",
        ]
        assert part.notes == ["cube has no probe", "both has no probe"]

    def test_validation_tells_a_right_answer_that_deviates(self, tiny: Homework, tmp_path: Path):
        """A probe that looks at what the contract leaves free would take right answers for mistakes."""
        root = tmp_path / "homework"
        shutil.copytree(tiny.root, root)
        (root / "solutions/variants/square/deviating.py").write_text(
            '"""Odd."""\ndef square(x):\n    return x * x + 1\n'
        )
        (part,) = (p for p in validate(load_homework(root), only=["hints"], jobs=1).parts if p.name == "hints")
        assert part.shortfalls == ["square/deviating shows 'squares' otherwise than the solution"]


@pytest.mark.parametrize("text", ["[]", "{", '{"square": 3}', '{"square": {"solution": {}, "mutants": [1]}}'])
def test_a_broken_record_is_told_in_one_line(tiny: Homework, tmp_path: Path, text: str):
    """And how to make it anew."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / diagnosis.RECORD).write_text(text)
    with pytest.raises(ConfigError, match=r"cannot be read: .*; run `autograder validate --record`"):
        diagnosis.recorded(tiny.model_copy(update={"root": tmp_path}))


def test_a_record_is_read_as_it_was_written(tiny: Homework):
    """Names, hints and deviations come back; six digits of them."""
    known = diagnosis.recorded(tiny)["square"]
    names = {mutant.name for mutant in answers.answers(tiny, "mutants") if mutant.question == "square"}
    assert {mistake.name for mistake in known.mistakes} <= names
    (doubled,) = (mistake for mistake in known.mistakes if mistake.name == "square/doubled")
    assert doubled.hint == HINT and doubled.deviations["squares"] == ["tensor", "float32", [3], [6.0, -4.0, 1.0], None]


def test_a_probe_that_is_wrong_is_told(tiny: Homework, tmp_path: Path):
    """It is the instructor's to mend."""
    root = tmp_path / "homework"
    shutil.copytree(tiny.root, root)
    (root / "checks/probes/square.py").write_text("def other(): ...")
    with pytest.raises(ConfigError, match=r"square.py has no usable probe\(hw, see\)"):
        validate(load_homework(root), only=["hints"], jobs=1)


LINEAR = """
import torch
from torch.nn import Module, Parameter
class Linear(Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.weight = Parameter(torch.randn(in_dim, out_dim) * (init_factor / in_dim) ** 0.5)
        self.bias = Parameter(torch.zeros(out_dim)) if bias else None
    def forward(self, X):
"""
MATMUL = """
import torch
from torch.autograd import Function
class MatMul(Function):
    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return X @ Y
    @staticmethod
    def backward(ctx, grad):
        X, Y = ctx.saved_tensors
"""
NETWORK = """
import torch
from torch.nn import Module, Parameter
from linear import Linear
from relu import ReLU
class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
"""
# By question and what is wrong: the answer, and of which mutant it may get the hint, if of any.
WRONG = {
    "matmul, two None": (f"{MATMUL}        return None, None", "none_for_both"),
    "matmul, no transposes": (f"{MATMUL}        return grad @ Y, X @ grad", "no_transposes"),
    "matmul, two mistakes": (f"{MATMUL}        return -grad @ Y.T, X.T @ grad", ""),
    "matmul, elementwise": (f"{MATMUL}        return grad * Y, grad * X", ""),
    "matmul, a misspelled name": (f"{MATMUL}        return grda @ Y.T, X.T @ grad", ""),
    "linear, a misspelled name without bias": (
        f"{LINEAR}        out = X @ self.weight\n        return outt if self.bias is None else out + self.bias",
        "",
    ),
    "linear, matrices only": (
        f"{LINEAR}        out = torch.mm(X, self.weight)\n        return out if self.bias is None else out + self.bias",
        "matrices_only",
    ),
    "two_layer_nn, no layers": (f"{NETWORK}    def forward(self, X):\n        return X", ""),
    "two_layer_nn, layers in globals": (
        f"{NETWORK}        global one, two\n        one, two = Linear(in_dim, hidden_dim), Linear(hidden_dim, out_dim)\n"
        "    def forward(self, X):\n        return two(ReLU()(one(X)))",
        "",
    ),
    "two_layer_nn, layers in a tuple": (
        f"{NETWORK}        self.all = Linear(in_dim, hidden_dim), Linear(hidden_dim, out_dim)\n"
        "    def forward(self, X):\n        return self.all[1](ReLU()(self.all[0](X)))",
        "plain_list",
    ),
    "two_layer_nn, two Parameters": (
        f"{NETWORK}        self.one = Parameter(torch.randn(in_dim, hidden_dim))\n"
        "        self.two = Parameter(torch.randn(hidden_dim, out_dim))\n"
        "    def forward(self, X):\n        return (X @ self.one).clamp(min=0) @ self.two",
        "",
    ),
    "cross_entropy_loss, a misspelled name": (
        "from torch.nn import Module\nclass CrossEntropyLoss(Module):\n    def forward(self, H, Y):\n"
        "        return H.logsumexp(1).mean() - H[range(len(Y)), YY].mean()",
        "",
    ),
}


@pytest.fixture(scope="module")
def homework_grading() -> Iterator[Grading]:
    """A warm grader of the homework that ships."""
    with Grading(load_homework(Path(__file__).parents[1]), "process") as grading:
        yield grading


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_answer_gets_its_own_hint_or_none(homework_grading: Grading, case: str):
    """What a hint says is true of the answer, and what no mutant does gets none."""
    source, mutant = WRONG[case]
    question = case.partition(",")[0]
    files = {**answers.solution_files(homework_grading.homework), f"{question}.py": source.encode()}
    seen = homework_grading.observe(Submission("x", files, {}, ()), [question])[question]
    found = homework_grading.known[question].recognise(seen)
    assert [mistake.name for mistake in found] == ([f"{question}/{mutant}"] if mutant else [])
