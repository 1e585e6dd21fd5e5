"""Public checks of relu.py."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close


def test_small_example(hw):
    """Negative numbers become 0, the others stay as they are."""
    X = torch.tensor([[-2.0, 0.0, 3.0], [0.5, -0.1, 100.0]])

    Z = hw.ReLU()(X)

    wanted = torch.tensor([[0.0, 0.0, 3.0], [0.5, 0.0, 100.0]])
    assert_close(Z, wanted, msg=lambda m: f"ReLU()(X) must be {wanted}.\n{m}")


@given(shape=st.lists(st.integers(1, 4), max_size=4), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_values_and_gradients(hw, shape, dtype):
    """For any shape and dtype, entries above 0 and their upstream gradients pass; the others become 0."""
    positive = torch.rand(shape) < 0.5
    magnitude = 0.1 + torch.rand(shape, dtype=dtype)  # the gradient is asked for away from 0 only
    X = torch.where(positive, magnitude, -magnitude).requires_grad_()
    upstream = torch.randn(shape, dtype=dtype)

    Z = hw.ReLU()(X)

    wanted, message = X.detach() * positive, f"ReLU of {X.detach()} is wrong."
    assert_close(Z.detach(), wanted, msg=lambda m: f"{message} It is {Z.detach()}.\n{m}")
    assert Z.requires_grad, "autograd cannot follow from the output back to X: which step leaves PyTorch?"
    (gradient,) = torch.autograd.grad(Z, X, upstream)
    message = f"For the upstream gradient {upstream}, the gradient at X = {X.detach()} is wrong."
    assert_close(gradient, upstream * positive, msg=lambda m: f"{message} It is {gradient}.\n{m}")


@pytest.mark.cooperative
def test_input_is_not_modified(hw):
    """ReLU returns a new tensor; its input stays as it was."""
    X = torch.tensor([-2.0, 3.0])

    Z = hw.ReLU()(X)

    assert_close(Z, torch.tensor([0.0, 3.0]), msg=lambda m: f"ReLU of [-2, 3] must be [0, 3].\n{m}")
    assert torch.equal(X, torch.tensor([-2.0, 3.0])), f"ReLU must not change its input [-2, 3]; it is {X} now"
