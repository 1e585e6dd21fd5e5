"""Public checks of cross_entropy_loss.py."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.testing import assert_close


def test_equal_logits(hw):
    """If all logits are equal, each of 4 classes has probability 1/4, and the loss is log(4)."""
    H, Y = torch.zeros(3, 4), torch.tensor([0, 3, 1])

    loss = hw.CrossEntropyLoss()(H, Y)

    assert isinstance(loss, torch.Tensor), f"the loss must be a tensor; it is {loss!r}"
    assert loss.shape == (), f"the loss must be of shape (), a mean over the batch; its shape is {tuple(loss.shape)}"
    assert_close(
        loss.item(),
        math.log(4),
        rtol=1e-5,
        atol=0,
        msg=lambda m: f"The loss must be log(4) = {math.log(4):.4f}.\n{m}",
    )


@given(batch=st.integers(1, 6), classes=st.integers(1, 6))
def test_values_and_gradients(hw, batch, classes):
    """For any logits and labels, the loss and its gradient are those of PyTorch's own cross-entropy."""
    H = torch.randn(batch, classes, dtype=torch.float64, requires_grad=True)
    Y = torch.randint(classes, (batch,))
    wanted = cross_entropy(H, Y)

    loss = hw.CrossEntropyLoss()(H, Y)

    assert isinstance(loss, torch.Tensor), f"the loss must be a tensor; it is {loss!r}"
    message = f"The loss must be {wanted.item()}; it is {loss.item()}, for H = {H.detach()}, Y = {Y}."
    assert_close(loss.item(), wanted.item(), msg=lambda m: f"{message}\n{m}")
    assert loss.requires_grad, "autograd cannot follow from the loss back to H: which step leaves PyTorch?"
    (gradient,), (wanted_gradient,) = torch.autograd.grad(3 * loss, H), torch.autograd.grad(3 * wanted, H)
    message = f"The gradient of 3 * loss must be {wanted_gradient}; it is {gradient}"
    assert_close(gradient, wanted_gradient, msg=lambda m: f"{message}, for H = {H.detach()}, Y = {Y}.\n{m}")


def test_large_logits(hw):
    """Logits of 10,000 in size give a finite loss, although exp(10000) is infinite."""
    H = torch.tensor([[10_000.0, -10_000.0, 0.0], [1.0, 2.0, 10_000.0]])
    Y = torch.tensor([1, 2])  # the first row is wrong by 20,000, the second one right: the mean is 10,000

    loss = hw.CrossEntropyLoss()(H, Y)

    assert isinstance(loss, torch.Tensor), f"the loss must be a tensor; it is {loss!r}"
    assert abs(loss.item() - 10_000) <= 0.01, (  # 1e-6 of the largest logit; false for nan
        f"The loss of {H.tolist()} for labels {Y.tolist()} must be 10000; it is {loss.item()}. "
        "Does exp overflow, or log(0) appear?"
    )
