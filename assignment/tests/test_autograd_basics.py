"""Public checks of autograd_basics.py."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

# You are shown the first that goes wrong.
shapes = st.sampled_from([(2, 3), (), (1,), (4,), (3, 1), (1, 4), (2, 3, 4), (3, 1, 2)])


def test_example_of_the_course_notes(hw):
    """The gradient of f(A) = (A * W).sum() is W."""
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    W = torch.tensor([[0.5, -1.0], [2.0, 0.0], [-3.0, 1.5]])
    f = hw.support("functions").weighted_sum(W)

    gradient = hw.gradient_of(f, A)

    assert isinstance(gradient, torch.Tensor), f"gradient_of must return a tensor; it returned {gradient!r}."
    assert_close(gradient, W, msg=lambda m: f"The gradient of (A * W).sum() must be W.\n{m}")


@given(shape=shapes, dtype=st.sampled_from([torch.float64, torch.float32]))
def test_gradient_depends_on_A(hw, shape, dtype):
    """The gradient of f(A) = (A**3).sum() is 3 * A**2, for A of any shape and dtype."""
    A = torch.randn(shape, dtype=dtype).round(decimals=1)
    wanted = 3 * A**2

    gradient = hw.gradient_of(hw.support("functions").sum_of_cubes, A)

    assert isinstance(gradient, torch.Tensor), f"gradient_of must return a tensor; it returned {gradient!r}."
    assert_close(gradient, wanted, msg=lambda m: f"The gradient of (A**3).sum() must be 3 * A**2.\n{m}")


@pytest.mark.cooperative
def test_A_is_left_as_it_was(hw):
    """gradient_of changes neither A, nor A.requires_grad, nor A.grad."""
    A = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    before = A.clone()

    gradient = hw.gradient_of(hw.support("functions").sum_of_cubes, A)

    assert isinstance(gradient, torch.Tensor), f"gradient_of must return a tensor; it returned {gradient!r}."
    assert_close(gradient, 3 * before**2, msg=lambda m: f"The gradient of (A**3).sum() must be 3 * A**2.\n{m}")
    assert not A.requires_grad, (
        "A.requires_grad was False before gradient_of(f, A) and is True after it. "
        "requires_grad_() changes the tensor it is called on: which tensor should that be?"
    )
    assert A.grad is None, "A.grad was None before gradient_of(f, A); it must be None after it, too."
    assert_close(A, before, rtol=0, atol=0, msg=lambda m: f"gradient_of must leave the entries of A alone.\n{m}")
