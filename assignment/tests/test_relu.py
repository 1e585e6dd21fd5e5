"""Public checks of relu.py."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

# You are shown the first that goes wrong.
shapes = st.sampled_from([(2, 3), (), (1,), (4,), (3, 1), (2, 3, 4), (2, 1, 3, 2)])


def test_small_example(hw):
    """Negative numbers become 0, the others stay as they are."""
    X = torch.tensor([[-2.0, 0.0, 3.0], [0.5, -0.1, 100.0]])

    Z = hw.ReLU()(X)

    wanted = torch.tensor([[0.0, 0.0, 3.0], [0.5, 0.0, 100.0]])
    assert isinstance(Z, torch.Tensor), f"The output must be a tensor; it is {Z!r}."
    assert_close(Z, wanted, msg=lambda m: f"Negative numbers must become 0, the others must stay.\n{m}")


@given(shape=shapes, dtype=st.sampled_from([torch.float64, torch.float32]))
def test_values_and_gradients(hw, shape, dtype):
    """For any shape and dtype, entries above 0 and their upstream gradients pass; the others become 0."""
    positive = torch.rand(shape) < 0.5
    magnitude = (0.1 + torch.rand(shape, dtype=dtype)).round(decimals=1)  # the gradient is asked for away from 0 only
    X = torch.where(positive, magnitude, -magnitude).requires_grad_()
    wanted = X.detach() * positive
    upstream = torch.randn(shape, dtype=dtype).round(decimals=1)

    Z = hw.ReLU()(X)

    assert isinstance(Z, torch.Tensor), f"The output must be a tensor; it is {Z!r}."
    assert_close(Z.detach(), wanted, msg=lambda m: f"Negative numbers must become 0, the others must stay.\n{m}")
    assert Z.requires_grad, "autograd cannot follow from the output back to X: which step leaves PyTorch?"
    (gradient,) = torch.autograd.grad(Z, X, upstream, allow_unused=True)
    assert gradient is not None, "autograd cannot follow from the output back to X: which step leaves it out?"
    message = "The gradient for X must be the upstream gradient where X is positive, and 0 where it is negative."
    assert_close(gradient, upstream * positive, msg=lambda m: f"{message}\n{m}")


@pytest.mark.cooperative
def test_input_is_not_modified(hw):
    """ReLU returns a new tensor; its input stays as it was."""
    X = torch.tensor([-2.0, 3.0])
    before = X.clone()

    Z = hw.ReLU()(X)

    assert isinstance(Z, torch.Tensor), f"The output must be a tensor; it is {Z!r}."
    assert_close(Z, torch.tensor([0.0, 3.0]), msg=lambda m: f"ReLU of [-2, 3] must be [0, 3].\n{m}")
    assert_close(X, before, rtol=0, atol=0, msg=lambda m: f"ReLU must leave its input alone.\n{m}")
