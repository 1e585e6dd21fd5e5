"""Public checks of matmul.py."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.testing import assert_close

sizes = st.integers(1, 5)


def test_small_example(hw):
    """backward gives the gradients that one finds by hand for a row times a column."""
    X = torch.tensor([[1.0, 2.0]], requires_grad=True)
    Y = torch.tensor([[3.0], [4.0]], requires_grad=True)

    Z = hw.MatMul.apply(X, Y)  # 1 * 3 + 2 * 4
    Z.backward(torch.tensor([[10.0]]))  # the upstream gradient: the loss grows 10 times as fast as Z

    assert_close(Z.detach(), torch.tensor([[11.0]]), msg=lambda m: f"X Y = 1 * 3 + 2 * 4\n{m}")
    assert_close(X.grad, torch.tensor([[30.0, 40.0]]), msg=lambda m: f"X.grad must be 10 * [3, 4].\n{m}")
    assert_close(Y.grad, torch.tensor([[10.0], [20.0]]), msg=lambda m: f"Y.grad must be 10 * [1, 2].\n{m}")


@given(m=sizes, n=sizes, p=sizes)
def test_values_for_a_random_upstream_gradient(hw, m, n, p):
    """For any shapes and any upstream gradient, the gradients are those of PyTorch's own X @ Y."""
    X = torch.randn(m, n, dtype=torch.float64, requires_grad=True)
    Y = torch.randn(n, p, dtype=torch.float64, requires_grad=True)
    grad = torch.randn(m, p, dtype=torch.float64)
    wanted_X, wanted_Y = torch.autograd.grad(X @ Y, (X, Y), grad)

    Z = hw.MatMul.apply(X, Y)
    assert Z.shape == (m, p), f"MatMul.apply of {(m, n)} and {(n, p)} has shape {tuple(Z.shape)}, not {(m, p)}"
    got_X, got_Y = torch.autograd.grad(Z, (X, Y), grad)

    inputs = f"for X = {X.detach()}, Y = {Y.detach()}, grad = {grad}"
    for name, got, want in (("X", got_X, wanted_X), ("Y", got_Y, wanted_Y)):
        message = f"The gradient for {name} must be {want}; it is {got}, {inputs}."
        assert_close(got, want, msg=lambda m, message=message: f"{message}\n{m}")


def test_gradcheck(hw):
    """PyTorch's gradcheck agrees with backward, as in the course notes."""
    A = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    B = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)

    assert_close(hw.MatMul.apply(A, B), A @ B, msg=lambda m: f"MatMul.apply(A, B) must be A @ B.\n{m}")
    agrees = gradcheck(hw.MatMul.apply, (A, B), raise_exception=False)
    assert agrees, "gradcheck finds that backward and forward of MatMul disagree. Do the two checks above pass?"
