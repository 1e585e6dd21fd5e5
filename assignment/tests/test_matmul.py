"""Public checks of matmul.py."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.testing import assert_close

# Sizes; you are shown the first that goes wrong.
two, three = st.sampled_from([2, 3, 1, 4, 5]), st.sampled_from([3, 2, 1, 4, 5])


def test_small_example(hw):
    """backward gives the gradients that one finds by hand for a row times a column."""
    X = torch.tensor([[1.0, 2.0]], requires_grad=True)
    Y = torch.tensor([[3.0], [4.0]], requires_grad=True)

    grad = torch.tensor([[10.0]])  # the upstream gradient: the loss grows 10 times as fast as Z

    Z = hw.MatMul.apply(X, Y)
    got_X, got_Y = torch.autograd.grad(Z, (X, Y), grad, allow_unused=True)

    assert_close(Z.detach(), torch.tensor([[11.0]]), msg=lambda m: f"The output must be 1 * 3 + 2 * 4.\n{m}")
    assert got_X is not None, "X got no gradient: what does backward return for it?"
    assert_close(got_X, torch.tensor([[30.0, 40.0]]), msg=lambda m: f"The gradient for X must be 10 * [3, 4].\n{m}")
    assert got_Y is not None, "Y got no gradient: what does backward return for it?"
    assert_close(got_Y, torch.tensor([[10.0], [20.0]]), msg=lambda m: f"The gradient for Y must be 10 * [1, 2].\n{m}")


@given(m=two, n=three, p=two)
def test_values_for_a_random_upstream_gradient(hw, m, n, p):
    """For any shapes and any upstream gradient, the gradients are those of PyTorch's own X @ Y."""
    X = torch.randn(m, n, dtype=torch.float64).round(decimals=1).requires_grad_()
    Y = torch.randn(n, p, dtype=torch.float64).round(decimals=1).requires_grad_()
    grad = torch.randn(m, p, dtype=torch.float64).round(decimals=1)
    wanted = X @ Y
    wanted_X, wanted_Y = torch.autograd.grad(wanted, (X, Y), grad)

    Z = hw.MatMul.apply(X, Y)
    assert_close(Z.detach(), wanted.detach(), msg=lambda m: f"MatMul.apply(X, Y) must be X @ Y.\n{m}")
    got_X, got_Y = torch.autograd.grad(Z, (X, Y), grad, allow_unused=True)

    assert got_X is not None, "X got no gradient: what does backward return for it?"
    assert_close(got_X, wanted_X, msg=lambda m: f"The gradient for X must be the one that X @ Y has.\n{m}")
    assert got_Y is not None, "Y got no gradient: what does backward return for it?"
    assert_close(got_Y, wanted_Y, msg=lambda m: f"The gradient for Y must be the one that X @ Y has.\n{m}")


def test_gradcheck(hw):
    """PyTorch's gradcheck agrees with backward, as in the course notes."""
    A = torch.tensor([[1.0, 2.0], [-3.0, 0.5], [0.0, -1.0]], dtype=torch.float64, requires_grad=True)
    B = torch.tensor([[2.0, -1.0], [4.0, 3.0]], dtype=torch.float64, requires_grad=True)
    wanted = A @ B

    assert_close(hw.MatMul.apply(A, B), wanted, msg=lambda m: f"MatMul.apply(A, B) must be A @ B.\n{m}")
    gradcheck(hw.MatMul.apply, (A, B))
