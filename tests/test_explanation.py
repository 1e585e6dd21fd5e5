"""Why a check failed: the comparison, the example and the Jacobians, on checks and answers of a few lines.

Here the student's code is in the same process, as on a laptop; `test_feedback` has whole submissions.
"""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from autograder import comparison, explanation
from autograder.errors import WorkerTimedOut
from autograder.explanation import Examples, Explanation, explain

FILE = "<a check's file>"
PROVIDER = {"f": "answers", "Layer": "answers", "Product": "answers"}
E = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], dtype=torch.float64)


def compared(actual: Any, expected: Any = E, **options: float) -> comparison.Comparison:
    """The comparison that torch's assertion failed by."""
    with pytest.raises(AssertionError) as caught:
        torch.testing.assert_close(actual, expected, **options)
    found = comparison.found_in(caught.value)
    assert found is not None
    return found


class TestDescribed:
    """What came, and what was expected."""

    def test_values(self):
        """How many differ, the worst one's place, both values, what was allowed, and both tensors."""
        other = E.clone()
        other[1, 2], other[0, 0] = 7.0, 1.5
        text = comparison.described(compared(other, rtol=0, atol=1e-3))
        assert "Shape (2, 3) and dtype float64 are as expected." in text
        assert "2 of 6 elements differ (allowed: 0.001)." in text
        assert "The worst is at [1, 2]: 7 came, -1 was expected." in text
        assert text.splitlines()[-2:] == ["1.5  -2  3      1  -2   3", "0.5   4  7    0.5   4  -1"]

    def test_shapes_and_dtypes_come_first(self):
        """They explain what the values then do not say."""
        assert comparison.described(compared(E.T)).startswith("Shape (3, 2) came, shape (2, 3) was expected.")
        assert comparison.described(compared(E.float())).startswith("Dtype float32 came, float64 was expected.")

    def test_numbers_that_look_alike_get_more_digits(self):
        """Two values that differ never look the same."""
        one, other = torch.tensor(1.0, dtype=torch.float64), torch.tensor(1.0 + 1e-9, dtype=torch.float64)
        text = comparison.described(compared(one, other, rtol=0, atol=0))
        assert "1.0 came, 1.000000001 was expected" in text

    @pytest.mark.parametrize("value", [torch.nan, torch.inf])
    def test_what_is_not_finite_is_the_worst(self, value: float):
        """However far the others are off."""
        other = E + 100
        other[0, 1] = value
        assert f"The worst is at [0, 1]: {value} came" in comparison.described(compared(other))

    def test_empty_large_and_other_things(self):
        """Nothing is too odd to be described."""
        assert "Shape (0, 3) came" in comparison.described(compared(torch.zeros(0, 3), torch.zeros(1, 3)))
        assert len(comparison.described(compared(torch.zeros(100, 100), torch.ones(100, 100)))) < 300
        assert comparison.described(compared(3.0, 4.0)).startswith("3")
        assert "None came" in comparison.described(compared(None, E))

    def test_complex_numbers_and_huge_ints(self):
        """What no right answer has is described as well."""
        odd = torch.complex(E, torch.ones_like(E))
        text = comparison.described(compared(odd))
        assert "Dtype complex128 came" in text and "6 of 6 elements differ" in text and "1+1j" in text
        assert comparison.described(comparison.Comparison(10**5000, 1, 0, 0)).startswith(
            "an int of 16610 bits came, 1 was expected"
        )
        assert comparison.recognised(compared(odd)) == ""
        assert comparison.recognised(compared(torch.complex(E, torch.zeros_like(E)))) == comparison.DTYPE


class TestRecognised:
    """In which one simple way something is almost right."""

    @pytest.mark.parametrize(
        ("actual", "hint"),
        [
            (-E, comparison.SIGN),
            (0.25 * E, comparison.FACTOR),
            (E.T, comparison.TRANSPOSED),
            (E.float(), comparison.DTYPE),
            (E[None], comparison.ONE_MORE),
            (E.expand(4, 2, 3), comparison.BROADCAST),
            (torch.stack([E - 1, torch.ones_like(E)]), comparison.SUM_LEFT),
            (E + 1, ""),
            (E * E, ""),
            (E.abs(), ""),
            (torch.zeros_like(E), ""),
            (E.sum(), ""),
            (E.reshape(3, 2), ""),
        ],
    )
    def test_each_way(self, actual: Tensor, hint: str):
        """And nothing where it is wrong in none, or in more than one."""
        assert comparison.recognised(compared(actual)) == hint

    @pytest.mark.parametrize("expected", [torch.tensor(2.0), torch.tensor([[2.0]]), torch.tensor([1.0, 2.0, 3.0])])
    def test_few_numbers_tell_nothing(self, expected: Tensor):
        """Of one number any other is a multiple; of one row or column a layer of one input makes one."""
        assert comparison.recognised(compared(3 * expected, expected)) is None

    def test_all_examples_must_agree(self):
        """One that is wrong in another way, and there is no hint; those that tell nothing do not count."""

        def hint(*almost: str | None) -> str:
            return Examples(list(almost)).hint()

        assert hint(comparison.SIGN, None, comparison.SIGN) == comparison.SIGN
        assert hint(comparison.SIGN, "") == hint(comparison.SIGN, comparison.FACTOR) == hint(None) == ""


def failure(check: str, hw: SimpleNamespace, **options: Any) -> Explanation:
    """Run a check whose source is given, and explain how it fails."""
    source = "import torch\nfrom torch.testing import assert_close\n\n" + textwrap.dedent(check)
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    scope: dict[str, Any] = {}
    exec(compile(source, FILE, "exec"), scope)
    try:
        scope["check"](hw)
    except Exception as error:
        return explain(error, str(error), FILE, PROVIDER, **options)
    raise AssertionError("the check passed")


@pytest.fixture(autouse=True)
def readable(monkeypatch: pytest.MonkeyPatch):
    """The imports of a check's file are read from that file; here it is none."""
    monkeypatch.setattr(
        "autograder.example._imports_of",
        lambda file: {"torch": "import torch", "assert_close": "from torch.testing import assert_close"},
    )
    monkeypatch.setattr("inspect.getsourcefile", lambda thing: FILE)
    yield
    linecache.cache.pop(FILE, None)


def answer(function: Callable[..., Any]) -> SimpleNamespace:
    """The student's code: one function."""
    return SimpleNamespace(f=function)


class TestExample:
    """Code that can be pasted."""

    def test_values_are_written_out_and_only_what_leads_there_is_kept(self):
        """A random input as its numbers, the student's own name, the value that was looked at."""
        check = """
        def check(hw):
            torch.manual_seed(3)
            X = torch.randn(2, dtype=torch.float64)
            unused = hw.f(X + 1)
            wanted = X * 2
            got = hw.f(X)
            assert got.shape == (2,), "shape"
            assert_close(got, wanted, msg="Twice.")
        """
        said = failure(check, answer(lambda X: X * 3))
        torch.manual_seed(3)
        X = torch.randn(2, dtype=torch.float64)
        lines = said.example.splitlines()
        assert lines[:4] == ["import torch", "", "from answers import f", ""]
        assert lines[4].startswith("X = torch.tensor([") and lines[5:] == ["got = f(X)", "print(got)"]
        scope: dict[str, Any] = {"f": lambda X: X * 3}
        exec(said.example.replace("from answers import f", "").replace("print(got)", ""), scope)
        assert torch.equal(scope["got"], X * 3) and said.message == "Twice."

    def test_a_loop_s_variable_is_what_it_goes_over(self):
        """The student's own variable is printed, not the check's."""
        check = """
        def check(hw):
            one, two = hw.f(1.0)
            for name, got, want in (("one", one, 1.0), ("two", two, 3.0)):
                assert_close(got, want, msg=name)
        """
        assert failure(check, answer(lambda x: (x, 2 * x))).example.splitlines()[-2:] == [
            "one, two = f(1.0)",
            "print(two)",
        ]

    def test_what_is_changed_on_the_way_is_not_written_out(self):
        """A tensor that student code changed in place is not what it was: it is made again."""
        check = """
        def check(hw):
            X = torch.zeros(2) + 1
            hw.f(X)
            assert_close(X, torch.ones(2), msg="X")
        """
        example = failure(check, answer(lambda X: X.mul_(2))).example
        assert "X = torch.zeros(2) + 1" in example and example.splitlines()[-2:] == ["f(X)", "print(X)"]

    def test_no_code_is_better_than_wrong_code(self):
        """What cannot be written out, nor made again, has no example."""
        check = """
        def inner(hw, thing):
            assert_close(hw.f(thing), 1.0, msg="thing")

        def check(hw):
            inner(hw, object())
        """
        assert "object at" not in failure(check, answer(lambda thing: 2.0)).example


class TestJacobians:
    """Backward beside finite differences."""

    class Wrong(torch.autograd.Function):
        """The square of each entry, whose gradient is wrong in the second one."""

        @staticmethod
        def forward(ctx: Any, X: Tensor) -> Tensor:
            """Return the squares."""
            ctx.save_for_backward(X)
            return X * X

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            """Return the gradient, but for one entry."""
            (X,) = ctx.saved_tensors
            return 2 * X * grad * torch.tensor([1.0, 5.0])

    check = """
    def check(hw):
        X = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
        Z = hw.f(X)
        (gradient,) = torch.autograd.grad(Z, (X,), torch.ones(2, dtype=torch.float64))
        assert_close(gradient, 2 * X.detach(), msg="The gradient.")
    """

    def test_the_first_wrong_entry_is_marked(self):
        """With both values in a sentence."""
        said = failure(self.check, answer(self.Wrong.apply)).jacobians
        assert "d result[1] / d X[1]" in said.replace("\n", " ") and "20 by backward, 4 by finite" in said.replace(
            "\n", " "
        )
        assert said.count("*20") == 1 and said.count("*4") == 1

    def test_nothing_where_they_agree(self):
        """A forward that is wrong has a right Jacobian of its own."""
        assert failure(self.check, answer(lambda X: X**3)).jacobians == ""

    def test_inputs_are_as_before(self):
        """Finite differences step aside, and back."""
        held: list[Tensor] = []
        failure(self.check, answer(lambda X: held.append(X) or self.Wrong.apply(X)))
        assert len(held) > 2 and held[0].tolist() == [1.0, 2.0]


class TestHints:
    """General ones."""

    def test_none(self):
        """A call that returned None, however the check trips over it."""
        for last in (
            "got.shape",
            "assert isinstance(got, torch.Tensor), 'a tensor'",
            "assert_close(hw.f(1.0).sum(), 1)",
        ):
            check = f"""
            def check(hw):
                got = hw.f(1.0)
                {last}
            """
            assert failure(check, answer(lambda x: None)).hint == explanation.NONE, last

    def test_none_that_no_call_returned(self):
        """A gradient or an attribute that is None is another matter."""
        layer = SimpleNamespace(bias=None)
        for last in (
            "layer.bias.shape",
            "bias = layer.bias\n    bias.shape",
            "bias = getattr(layer, 'bias')\n    bias.shape",
        ):
            check = f"def check(hw):\n    layer = hw.f(1.0)\n    {last}\n"
            assert failure(check, answer(lambda x: layer)).hint == "", last

    def test_a_stub(self):
        """It says its question and what to write."""

        def stub(x: float) -> None:
            raise NotImplementedError("answers: write f")

        check = "def check(hw):\n    hw.f(1.0)\n"
        assert failure(check, answer(stub)).hint == explanation.STUB

        def other(x: float) -> None:
            raise NotImplementedError("some day")

        assert failure(check, answer(other)).hint == ""

    def test_an_input_that_was_changed(self):
        """Only where the check is about that."""
        check = """
        def check(hw):
            X = torch.tensor([1.0, 2.0])
            hw.f(X)
            assert_close(X, torch.tensor([1.0, 2.0]), msg="X")
        """
        change = answer(lambda X: X.mul_(2))
        assert failure(check, change, cooperative=True).hint == explanation.CHANGED
        assert failure(check, change).hint == ""
        assert failure(check, change, cooperative=True, changed=False).hint == ""

    def test_float64_only(self):
        """The same example passes once its float32 is float64."""

        def again(dtype: torch.dtype = torch.float32) -> None:
            assert dtype is torch.float64

        examples = Examples()
        examples.failed(AssertionError("x"), {"n": 3, "dtype": torch.float32}, again)
        assert examples.hint() == explanation.FLOAT64_ONLY
        examples.failed(AssertionError("x"), {"n": 3, "dtype": torch.float64}, again)
        assert examples.hint() == ""

    @pytest.mark.parametrize("end", [pytest.fail.Exception, pytest.skip.Exception, WorkerTimedOut])
    def test_what_is_no_exception_ends_the_hint_only(self, end: type[BaseException]):
        """A check that runs once more says so in pytest's words, or loses its worker."""

        def again(dtype: torch.dtype = torch.float32) -> None:
            raise end("once more")

        examples = Examples()
        examples.failed(AssertionError("x"), {"dtype": torch.float32}, again)
        assert examples.hint() == ""


@pytest.mark.parametrize("end", [pytest.fail.Exception, WorkerTimedOut])
def test_a_part_that_is_lost_leaves_the_others(end: type[BaseException]):
    """Student code runs once more for the Jacobians, and may end its worker: what came is told all the same."""
    calls = []

    def f(X: Tensor) -> Tensor:
        calls.append(X)
        if len(calls) > 1:
            raise end("once more")
        return (X * X).sum()

    check = """
    def check(hw):
        X = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(hw.f(X), (X,))
        assert_close(gradient, torch.tensor([3.0, 4.0], dtype=torch.float64))
    """
    said = failure(check, answer(f))
    assert len(calls) > 1 and "1 of 2 elements differs" in said.comparison and said.example and not said.jacobians
