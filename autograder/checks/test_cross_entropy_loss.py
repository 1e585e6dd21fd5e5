"""Hidden checks of the question cross_entropy_loss."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from .inputs import assert_matches, dtypes, gradients, randn

layouts = st.sampled_from(["contiguous", "transposed", "strided"])
batches, classes = st.integers(2, 6), st.integers(2, 7)  # a batch of one has a check of its own
extremes = st.sampled_from([-1e4, -5e3, -100.0, -50.0, 0.0, 50.0, 100.0, 5e3, 1e4])


@st.composite
def extreme_logits(draw):
    """Rows of float32 logits between -1e4 and 1e4, each row at its own level, and their labels."""
    batch, width = draw(st.integers(2, 4)), draw(st.integers(2, 5))
    H = [[draw(extremes) for _ in range(width)] for _ in range(batch)]
    Y = [draw(st.integers(0, width - 1)) for _ in range(batch)]
    return torch.tensor(H), torch.tensor(Y)


def loss_of(hw, H, Y):
    """Return the student's loss in double precision; its shape has a check of its own, its dtype is free."""
    loss = hw.CrossEntropyLoss()(H, Y)
    assert isinstance(loss, torch.Tensor), f"the loss should be a tensor; it is {loss!r}"
    assert loss.numel() == 1, f"the loss should be one number; its shape is {tuple(loss.shape)}"
    return loss.double().reshape(())


@pytest.mark.points(2)
@given(batch=batches, classes=classes, dtype=dtypes, layout=layouts)
def test_values(hw, batch, classes, dtype, layout):
    """The loss is the mean over the batch of log(sum(exp(H))) minus the logit of the label."""
    H, Y = randn(batch, classes, dtype=dtype, layout=layout), torch.randint(classes, (batch,))
    expected = cross_entropy(H.double(), Y)
    assert_matches(loss_of(hw, H, Y), expected, "the loss", 1e-5 if dtype == torch.float32 else 1e-9)


@given(batch=batches, classes=classes)
def test_scalar(hw, batch, classes):
    """The loss is one number: a floating tensor without dimensions."""
    loss = hw.CrossEntropyLoss()(randn(batch, classes), torch.randint(classes, (batch,)))
    assert isinstance(loss, torch.Tensor), f"the loss should be a tensor; it is {loss!r}"
    assert loss.shape == (), f"the loss should have shape (); it has {tuple(loss.shape)}"
    assert loss.is_floating_point(), f"the loss should be a floating tensor; its dtype is {loss.dtype}"


@pytest.mark.points(2)
@given(batch=batches, classes=classes, dtype=dtypes)
def test_gradients(hw, batch, classes, dtype):
    """The gradient for the logits is (softmax(H) - one_hot(Y)) / batch, times the upstream gradient."""
    H, Y = randn(batch, classes, dtype=dtype).requires_grad_(), torch.randint(classes, (batch,))
    upstream = randn(dtype=torch.float64)
    (found,) = gradients(loss_of(hw, H, Y), [H], upstream, ["H"])
    exact = H.detach().double().requires_grad_()
    (expected,) = torch.autograd.grad(cross_entropy(exact, Y), exact, upstream)
    assert_matches(found.double(), expected, "the gradient for H", 1e-5 if dtype == torch.float32 else 1e-9)


def test_finite_differences(hw):
    """The gradient agrees with finite differences of the loss (torch.autograd.gradcheck)."""
    H, Y = 2 * randn(3, 4), torch.tensor([3, 0, 1])
    loss = hw.CrossEntropyLoss()
    assert torch.autograd.gradcheck(lambda H: loss(H, Y), (H.requires_grad_(),)), "gradcheck says no"


@pytest.mark.points(2)
@given(H_and_Y=extreme_logits())
def test_large_logits(hw, H_and_Y):
    """Logits of -10,000 to 10,000 in float32 give the right loss: no inf, no nan, no logarithm of 0."""
    H, Y = H_and_Y
    error = 1e-6 * max(1.0, H.abs().max().item())
    expected = cross_entropy(H.double(), Y)
    actual = loss_of(hw, H, Y)
    assert (actual - expected).abs() <= error, (
        f"the loss of H = {H.tolist()}, Y = {Y.tolist()} should be {expected:.6g} within {error:.2g}; "
        f"it is {actual:.6g}"
    )


@given(H_and_Y=extreme_logits())
def test_gradients_of_large_logits(hw, H_and_Y):
    """Logits of -10,000 to 10,000 in float32 give the right gradient: no nan."""
    H, Y = H_and_Y
    (found,) = gradients(loss_of(hw, H.requires_grad_(), Y), [H], torch.tensor(1.0).double(), ["H"])
    exact = H.detach().double().requires_grad_()
    (expected,) = torch.autograd.grad(cross_entropy(exact, Y), exact)
    # A logarithm of size 1e4 is rounded by up to 5e-4 in float32, and so are the probabilities made from it.
    assert_matches(found.double(), expected, f"the gradient for H = {H.tolist()}, Y = {Y.tolist()}", 5e-3)


@settings(max_examples=25)
@given(batch=batches, classes=classes)
def test_shift(hw, batch, classes):
    """Adding a number to all logits of a row leaves the loss as it is."""
    H, Y = randn(batch, classes), torch.randint(classes, (batch,))
    shift = 1000 * randn(batch, 1)
    assert_matches(loss_of(hw, H + shift, Y), cross_entropy(H, Y), "the loss after the shift", 1e-8)


@given(classes=classes)
def test_batch_of_one(hw, classes):
    """A batch of one row gives the loss of that row, and its gradient."""
    H, Y = randn(1, classes).requires_grad_(), torch.randint(classes, (1,))
    loss = loss_of(hw, H, Y)
    expected = cross_entropy(H, Y)
    assert_matches(loss.detach(), expected.detach(), "the loss of a batch of one")
    (found,) = gradients(loss, [H], torch.tensor(1.0).double(), ["H"])
    assert_matches(found, torch.autograd.grad(expected, H)[0], "the gradient for H of a batch of one")


def test_many_classes(hw):
    """A thousand classes work as well as ten, also when the batch does not show most of them."""
    H, Y = 3 * randn(4, 1000), torch.tensor([0, 11, 500, 11])
    assert_matches(loss_of(hw, H, Y), cross_entropy(H, Y), "the loss for 1000 classes")


def test_used_again(hw):
    """One loss object can be used for batch after batch, of any size."""
    loss = hw.CrossEntropyLoss()
    for batch, classes in [(3, 4), (3, 4), (5, 2), (2, 6), (3, 4)]:
        H, Y = randn(batch, classes), torch.randint(classes, (batch,))
        actual = loss(H, Y).double().reshape(())
        assert_matches(actual, cross_entropy(H, Y), f"the loss of a later batch ({batch}, {classes})")
