"""Hidden checks of autograd_basics.py: functions sent as support code, whose gradients are known here."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .inputs import assert_matches, dtypes, layouts, randn, shapes, unchanged

GRADIENTS = {
    "weighted sum": lambda A, W: W,
    "sum of squares": lambda A, W: 2 * A,
    "weighted sines": lambda A, W: W * A.cos(),
    "square of a sum": lambda A, W: 2 * A.sum() * torch.ones_like(A),
    "log-sum-exp": lambda A, W: A.flatten().softmax(0).view_as(A),
    "squared distance": lambda A, W: A - W,
    "only the last entry": lambda A, W: 3 * A**2 * (torch.arange(A.numel()) == A.numel() - 1).view_as(A),
    "zero times A": lambda A, W: torch.zeros_like(A),
}
NONLINEAR = sorted(GRADIENTS.keys() - {"weighted sum", "zero times A"})
matrices = shapes(2, 2, min_side=2)


def assert_gradient(hw, name, A, W, what="the gradient"):
    """Compare the gradient of a function of support/functions.py with the one known."""
    expected = GRADIENTS[name](A.detach(), W.detach())
    gradient = hw.gradient_of(hw.support("functions").make(name, W), A)
    assert_matches(gradient, expected, f"{what} of f = {name}")


@pytest.mark.points(2)
def test_example_of_the_notes(hw):
    """The gradient of `f = (A * W).sum()` is W, whether or not A or W require a gradient."""
    for A_requires_grad in (False, True):
        for W_requires_grad in (False, True):
            A, W = randn(5, 4, dtype=torch.float32), randn(5, 4, dtype=torch.float32)
            A.requires_grad_(A_requires_grad)
            W.requires_grad_(W_requires_grad)
            assert_gradient(hw, "weighted sum", A, W)


@pytest.mark.points(2)
@given(name=st.sampled_from(sorted(GRADIENTS)), shape=matrices)
def test_other_functions(hw, name, shape):
    """Gradients of other functions are right, also where they depend on A, are zero, or mix its entries."""
    assert_gradient(hw, name, randn(*shape), randn(*shape))


@given(name=st.sampled_from(["weighted sum", "weighted sines"]), shape=shapes(0, 3, min_side=0))
def test_any_shape(hw, name, shape):
    """The gradient has the shape of A, for 0 to 3 dimensions, also when A is empty."""
    assert_gradient(hw, name, randn(*shape), randn(*shape))


@given(name=st.sampled_from(NONLINEAR), shape=matrices, dtype=dtypes, layout=layouts)
def test_dtype_and_layout(hw, name, shape, dtype, layout):
    """The gradient is exact up to rounding and has the dtype of A, however A lies in memory."""
    assert_gradient(hw, name, randn(*shape, dtype=dtype, layout=layout), randn(*shape, dtype=dtype))


@given(name=st.sampled_from(NONLINEAR), requires_grad=st.booleans())
def test_second_call(hw, name, requires_grad):
    """A second call gives the same: nothing is added up from the calls before."""
    A, W = randn(3, 4).requires_grad_(requires_grad), randn(3, 4)
    assert_gradient(hw, name, A, W, "the first gradient")
    assert_gradient(hw, name, A, W, "the second gradient at the same A")
    f = hw.support("functions").make(name, W)
    for count in ("first", "second"):
        A = randn(3, 4)
        expected = GRADIENTS[name](A, W)
        assert_matches(hw.gradient_of(f, A), expected, f"the gradient at the {count} of two A of the same f = {name}")


@given(name=st.sampled_from(NONLINEAR), shape=matrices)
def test_earlier_grad_does_not_count(hw, name, shape):
    """What was in `A.grad` before does not enter the result."""
    A = randn(*shape).requires_grad_()
    A.grad = randn(*shape)
    assert_gradient(hw, name, A, randn(*shape))


@pytest.mark.cooperative
@given(requires_grad=st.booleans(), shape=matrices)
def test_leaves_requires_grad(hw, requires_grad, shape):
    """`A.requires_grad` is afterwards what it was before."""
    A = randn(*shape).requires_grad_(requires_grad)
    assert_gradient(hw, "weighted sum", A, randn(*shape))
    assert A.requires_grad == requires_grad, (
        f"A.requires_grad was {requires_grad} before the call and is {A.requires_grad} after it"
    )


@pytest.mark.cooperative
@given(requires_grad=st.booleans(), with_grad=st.booleans(), shape=matrices)
def test_leaves_grad(hw, requires_grad, with_grad, shape):
    """`A.grad` is afterwards what it was before: `None`, or the same values."""
    A = randn(*shape).requires_grad_(requires_grad)
    before = randn(*shape) if with_grad else None
    A.grad = None if before is None else before.clone()
    assert_gradient(hw, "weighted sum", A, randn(*shape))
    if before is None:
        assert A.grad is None, f"A.grad was None before the call and is {A.grad} after it"
    else:
        assert_matches(A.grad, before, "A.grad after the call")


@pytest.mark.cooperative
@given(requires_grad=st.booleans(), shape=matrices, dtype=dtypes)
def test_leaves_values(hw, requires_grad, shape, dtype):
    """The entries of A are afterwards exactly what they were before."""
    A = randn(*shape, dtype=dtype).requires_grad_(requires_grad)
    with unchanged(A=A):
        assert_gradient(hw, "weighted sum", A, randn(*shape, dtype=dtype))
