"""Public checks of cross_entropy_loss.py."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

# Sizes; you are shown the first that goes wrong.
two, three = st.sampled_from([2, 3, 1, 4, 5]), st.sampled_from([3, 2, 1, 4, 5])


def test_equal_logits(hw):
    """If all logits are equal, each of 4 classes has probability 1/4, and the loss is log(4)."""
    H = torch.zeros(3, 4)
    Y = torch.tensor([0, 3, 1])

    loss = hw.CrossEntropyLoss()(H, Y)

    assert isinstance(loss, torch.Tensor), f"The loss must be a tensor; it is {loss!r}."
    assert loss.shape == (), f"The loss must be a mean over the batch, of shape (); it is of {tuple(loss.shape)}."
    message = "Each class has probability 1/4, so the loss must be log(4)."
    assert_close(loss.item(), math.log(4), rtol=1e-5, atol=0, msg=lambda m: f"{message}\n{m}")


@given(batch=two, classes=three)
def test_values_and_gradients(hw, batch, classes):
    """For any logits and labels, the loss and its gradient are those of PyTorch's own cross-entropy."""
    H = torch.randn(batch, classes, dtype=torch.float64).round(decimals=1).requires_grad_()
    Y = torch.randint(classes, (batch,))
    wanted = cross_entropy(H, Y)

    loss = hw.CrossEntropyLoss()(H, Y)

    assert isinstance(loss, torch.Tensor), f"The loss must be a tensor; it is {loss!r}."
    message = "The loss must be the one that PyTorch's own cross-entropy gives."
    assert_close(loss.item(), wanted.item(), msg=lambda m: f"{message}\n{m}")
    assert loss.requires_grad, "autograd cannot follow from the loss back to H: which step leaves PyTorch?"
    (gradient,) = torch.autograd.grad(3 * loss, H, allow_unused=True)
    (wanted_gradient,) = torch.autograd.grad(3 * wanted, H)
    assert gradient is not None, "autograd cannot follow from the loss back to H: which step leaves it out?"
    message = "The gradient of 3 * loss must be the one that PyTorch's own cross-entropy gives."
    assert_close(gradient, wanted_gradient, msg=lambda m: f"{message}\n{m}")


def test_large_logits(hw):
    """Logits of 10,000 in size give a finite loss, although exp(10000) is infinite."""
    H = torch.tensor([[10_000.0, -10_000.0, 0.0], [1.0, 2.0, 10_000.0]])
    Y = torch.tensor([1, 2])

    loss = hw.CrossEntropyLoss()(H, Y)

    assert isinstance(loss, torch.Tensor), f"The loss must be a tensor; it is {loss!r}."
    message = (
        "The first row is wrong by 20,000 and the second one right, so the loss must be 10,000. "
        "Does exp overflow, or log(0) appear?"
    )
    # 0.01 is 1e-6 of the largest logit.
    assert_close(loss.item(), 10_000.0, rtol=0, atol=0.01, msg=lambda m: f"{message}\n{m}")
