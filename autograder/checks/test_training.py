"""Hidden checks of the question training."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from .inputs import assert_matches, dtypes, randn, unchanged

CLASSES = 4
counts, batch_sizes = st.integers(1, 25), st.integers(1, 12)
trailing = st.sampled_from([(3,), (1,), (5,)])


def data(examples, shape):
    """Return inputs whose first number counts the examples, labels, and initial weights."""
    X = randn(examples, *shape)
    X.flatten(1)[:, 0] = (torch.arange(examples) + 1) / 8  # exact in binary; not 0, which would make ties
    return X, torch.randint(CLASSES, (examples,)), randn(*shape, CLASSES)


def pass_over(weight, X_full, Y_full, batch_size, lr=0.0):
    """Return what a pass should give: errors, losses and gradients of the batches, and the last weights."""
    errors, losses, grads = [], [], []
    weight = weight.detach().clone().requires_grad_()
    for X, Y in zip(X_full.split(batch_size), Y_full.split(batch_size), strict=True):
        H = X.flatten(1) @ weight.flatten(0, -2)
        loss = cross_entropy(H, Y)
        (grad,) = torch.autograd.grad(loss, weight)
        weight = (weight - lr * grad).detach().requires_grad_()
        errors.append((H.argmax(1) != Y).double().mean().item())
        losses.append(loss.item())
        grads.append(grad)
    return errors, losses, grads, weight.detach()


def mean(numbers):
    """Return the mean."""
    return sum(numbers) / len(numbers)


def number(value):
    """Return a tensor of one number, or a number, as a float; which of them it is has checks of its own."""
    return torch.as_tensor(value).detach().item()


def batches_in(log):
    """Return the batches that the model saw; being asked twice in a row about the same one is no fault."""
    entries = log.read()
    return [batch for i, batch in enumerate(entries) if i == 0 or batch != entries[i - 1]]


def assert_result(result, errors, losses):
    """Assert that `result` is the pair of means over the batches, with room for sums in float32."""
    err, loss = map(number, result)
    for name, actual, numbers in [("mean_err", err, errors), ("mean_loss", loss, losses)]:
        assert abs(actual - mean(numbers)) <= 1e-5 * max(1, mean(numbers)), (
            f"{name} should be the mean over the batches, {mean(numbers):.6f}; it is {actual:.6f}. "
            f"The batches have {[round(n, 4) for n in numbers]}"
        )


@pytest.mark.points(2)
@given(batch=st.integers(1, 9), classes=st.integers(2, 6), dtype=dtypes, shift=st.sampled_from([0, -5, 5]))
def test_loss_01_values(hw, batch, classes, dtype, shift):
    """loss_01 is the fraction of rows whose largest logit is not at the label."""
    H, Y = randn(batch, classes, dtype=dtype) + shift, torch.randint(classes, (batch,))
    wrong = sum(row.index(max(row)) != y for row, y in zip(H.tolist(), Y.tolist(), strict=True))
    found = number(hw.loss_01(H, Y))
    assert abs(found - wrong / batch) <= 1e-6, f"{wrong} of {batch} rows are wrong, but loss_01 is {found}"


@settings(max_examples=20)
@given(batch=st.integers(1, 9))
def test_loss_01_scalar(hw, batch):
    """loss_01 is a floating tensor without dimensions, and 0 or 1 where all rows are right or wrong."""
    Y = torch.randint(CLASSES, (batch,))
    for wrong in (0, 1):
        loss = hw.loss_01(torch.eye(CLASSES)[(Y + wrong) % CLASSES] - 2, Y)
        assert isinstance(loss, torch.Tensor), f"loss_01 should return a tensor; it returned {loss!r}"
        assert loss.shape == (), f"loss_01 should have shape (); its shape is {tuple(loss.shape)}"
        assert loss.is_floating_point(), f"loss_01 should return a floating tensor; its dtype is {loss.dtype}"
        assert loss.item() == wrong, f"loss_01 should be {wrong}; it is {loss.item()}"


@pytest.mark.points(2)
@pytest.mark.cooperative
@settings(max_examples=30)
@given(examples=counts, batch_size=batch_sizes, shape=trailing, train=st.booleans())
def test_batches(hw, examples, batch_size, shape, train):
    """The model sees every example once, in order, in batches of batch_size; the last one may be smaller."""
    recording = hw.support("recording")
    X, Y, weight = data(examples, shape)
    log = recording.Log()
    model = recording.Model(weight, log)
    opt = recording.Optimizer(model.weight, recording.Log()) if train else None
    hw.epoch(model, X, Y, opt, batch_size)
    seen = batches_in(log)
    expected = [batch.flatten(1)[:, 0].tolist() for batch in X.split(batch_size)]
    assert seen == expected, (
        f"{examples} examples, batch_size={batch_size}: wanted batches of {[len(b) for b in expected]}, "
        f"in order; there were batches of {[len(b) for b in seen]}, with the examples "
        f"{[[round(8 * n) - 1 for n in batch] for batch in seen]}"
    )


@pytest.mark.cooperative
def test_default_batch_size(hw):
    """The batch size is 100 unless it is given."""
    recording = hw.support("recording")
    log = recording.Log()
    X, Y, weight = data(230, (3,))
    hw.epoch(recording.Model(weight, log), X, Y)
    sizes = [len(batch) for batch in batches_in(log)]
    assert sizes == [100, 100, 30], f"230 examples should make batches of 100, 100 and 30; they made {sizes}"


@pytest.mark.points(2)
@given(examples=counts, batch_size=batch_sizes, shape=trailing)
def test_means_over_batches(hw, examples, batch_size, shape):
    """Without opt, the result is the mean error and loss over the batches, a smaller last one included."""
    X, Y, weight = data(examples, shape)
    Y[-(examples % batch_size or batch_size) :] = 0  # so that the last batch differs from the others
    errors, losses, _, _ = pass_over(weight, X, Y, batch_size)
    assert_result(hw.epoch(hw.support("recording").Model(weight), X, Y, None, batch_size), errors, losses)


@settings(max_examples=20)
@given(examples=counts, batch_size=batch_sizes, train=st.booleans())
def test_floats(hw, examples, batch_size, train):
    """The result is a pair of Python floats, not of tensors, with and without opt."""
    X, Y, weight = data(examples, (3,))
    model = hw.support("recording").Model(weight)
    opt = hw.SGD(model.parameters(), lr=0.5) if train else None
    result = hw.epoch(model, X, Y, opt=opt, batch_size=batch_size)
    kinds = [type(value).__name__ for value in result]
    assert kinds == ["float", "float"], f"(mean_err, mean_loss) should be two floats; they are {kinds}"


@pytest.mark.points(2)
@settings(max_examples=25)
@given(examples=counts, batch_size=batch_sizes, lr=st.sampled_from([0.1, 0.5]))
def test_training(hw, examples, batch_size, lr):
    """With opt, each batch makes one step; its error and loss are those before the step."""
    X, Y, weight = data(examples, (6,))
    model = hw.support("recording").Model(weight)
    opt = hw.SGD(model.parameters(), lr=lr)
    for _ in range(2):
        errors, losses, _, weight = pass_over(weight, X, Y, batch_size, lr)
        assert_result(hw.epoch(model, X, Y, opt, batch_size=batch_size), errors, losses)
        assert_matches(model.weight.detach(), weight, "the weight after the epoch")


@pytest.mark.points(2)
@settings(max_examples=25)
@given(examples=counts, batch_size=batch_sizes, zeros=st.booleans())
def test_gradients_of_each_batch(hw, examples, batch_size, zeros):
    """Each step sees the gradient of its own batch, and of no other."""
    recording = hw.support("recording")
    X, Y, weight = data(examples, (3,))
    model, log = recording.Model(weight), recording.Log()
    hw.epoch(model, X, Y, recording.Optimizer(model.weight, log, zeros), batch_size)
    found = log.read()
    _, _, expected, _ = pass_over(weight, X, Y, batch_size)
    assert len(found) == len(expected), f"{len(expected)} batches should make as many steps, not {len(found)}"
    for i, (grad, wanted) in enumerate(zip(found, expected, strict=True), 1):
        assert grad is not None, f"step {i} of {len(expected)} was made without a gradient"
        assert_matches(grad, wanted, f"the gradient at step {i} of {len(expected)}")


def test_old_gradients(hw):
    """Gradients left over from before the epoch do not count."""
    X, Y, weight = data(10, (3,))
    model = hw.support("recording").Model(weight)
    (X.sum(0) @ model.weight).sum().backward()
    hw.epoch(model, X, Y, hw.SGD(model.parameters(), lr=0.5), 5)
    assert_matches(model.weight.detach(), pass_over(weight, X, Y, 5, 0.5)[3], "the weight after the epoch")


@settings(max_examples=20)
@given(examples=counts, batch_size=batch_sizes, old=st.booleans())
def test_nothing_changes_without_opt(hw, examples, batch_size, old):
    """Without opt, parameters, their gradients and the data stay as they were."""
    X, Y, weight = data(examples, (3,))
    model = hw.support("recording").Model(weight)
    grad = randn(3, CLASSES) if old else None
    model.weight.grad = None if grad is None else grad.clone()
    with unchanged(weight=model.weight, X_full=X, Y_full=Y):
        hw.epoch(model, X, Y, batch_size=batch_size)
    assert model.weight.requires_grad, "after epoch without opt, the weight no longer requires a gradient"
    if grad is None:
        assert model.weight.grad is None, "there was no gradient before; epoch without opt left one behind"
    else:
        assert model.weight.grad is not None, "epoch without opt took away the gradient that was there before"
        assert_matches(model.weight.grad, grad, "the gradient that was there before", 0)
