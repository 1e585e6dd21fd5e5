"""Public checks of autograd_basics.py."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close


def test_example_of_the_course_notes(hw):
    """The gradient of f(A) = (A * W).sum() is W."""
    A, W = torch.randn(5, 4), torch.randn(5, 4)
    f = hw.support("functions").weighted_sum(W)

    gradient = hw.gradient_of(f, A)

    assert isinstance(gradient, torch.Tensor), f"gradient_of must return a tensor; it returned {gradient!r}"
    assert_close(gradient, W, msg=lambda m: f"The gradient of (A * W).sum() must be W.\n{m}")


@given(shape=st.lists(st.integers(1, 4), max_size=3), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_gradient_depends_on_A(hw, shape, dtype):
    """The gradient of f(A) = (A**3).sum() is 3 * A**2, for A of any shape and dtype."""
    A = torch.randn(shape, dtype=dtype)

    gradient = hw.gradient_of(hw.support("functions").sum_of_cubes, A)

    assert isinstance(gradient, torch.Tensor), f"gradient_of must return a tensor; it returned {gradient!r}"
    message = f"The gradient of (A**3).sum() at A = {A} must be {3 * A**2}; it is {gradient}."
    assert_close(gradient, 3 * A**2, msg=lambda m: f"{message}\n{m}")


@pytest.mark.cooperative
def test_A_is_left_as_it_was(hw):
    """gradient_of changes neither A, nor A.requires_grad, nor A.grad."""
    A = torch.randn(5, 4)
    before = A.clone()

    gradient = hw.gradient_of(hw.support("functions").sum_of_cubes, A)

    assert isinstance(gradient, torch.Tensor), f"gradient_of must return a tensor; it returned {gradient!r}"
    assert_close(gradient, 3 * before**2, msg=lambda m: f"The gradient must be 3 * A**2.\n{m}")
    assert torch.equal(A, before), "gradient_of has changed the entries of A. Does it work on a copy?"
    assert not A.requires_grad, (
        "A.requires_grad was False before gradient_of(f, A) and is True after it. "
        "requires_grad_() changes the tensor it is called on: which tensor should that be?"
    )
    assert A.grad is None, f"A.grad was None before gradient_of(f, A) and is {A.grad} after it."
