"""Public checks of training.py. Here on your machine epoch uses your own CrossEntropyLoss."""

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot
from torch.testing import assert_close


def test_loss_01(hw):
    """loss_01 is the fraction of rows whose largest logit is not at the label."""
    H = torch.tensor([[3.0, 1.0, 2.0], [0.0, -1.0, 5.0], [0.1, 0.3, 0.2], [-3.0, -1.0, -2.0]])
    Y = torch.tensor([0, 2, 1, 2])  # the largest logits are at 0, 2, 1, 1

    loss = hw.loss_01(H, Y)

    assert isinstance(loss, torch.Tensor), f"loss_01 must return a tensor; it returned {loss!r}."
    assert loss.shape == (), f"loss_01 must return a tensor of shape (); it is of shape {tuple(loss.shape)}."
    assert loss.is_floating_point(), f"loss_01 must return a floating tensor; it is of {loss.dtype}."
    message = "Only the last of the 4 rows is wrong, so loss_01 must be 1/4."
    assert_close(loss.item(), 0.25, rtol=0, atol=0, msg=lambda m: f"{message}\n{m}")


def test_averages_are_over_batches(hw):
    """mean_err and mean_loss are averages over BATCHES, not over examples; the last batch may be smaller."""
    # 5 examples in batches of 2: rows 0-1, 2-3 and 4. Only the last row is wrong, and by much.
    H = torch.tensor([[4.0, 0.0], [0.0, 4.0], [4.0, 0.0], [0.0, 4.0], [0.0, 8.0]])
    Y = torch.tensor([0, 1, 0, 1, 0])
    model = hw.support("models").identity()  # the inputs are the logits

    result = hw.epoch(model, H, Y, batch_size=2)

    assert isinstance(result, (tuple, list)) and len(result) == 2, (
        f"epoch must return (mean_err, mean_loss); it returned {result!r}."
    )
    mean_err, mean_loss = result
    assert isinstance(mean_err, float) and isinstance(mean_loss, float), (
        f"epoch must return two floats; it returned {result!r}. What makes a number of a tensor?"
    )
    message = (
        "The errors of the 3 batches are 0, 0 and 1, so mean_err must be 1/3. "
        "(An average over the 5 examples would be 0.2; one that leaves out the last batch would be 0.)"
    )
    assert_close(mean_err, 1 / 3, rtol=1e-6, atol=0, msg=lambda m: f"{message}\n{m}")
    losses = [cross_entropy(H[rows], Y[rows]).item() for rows in (slice(0, 2), slice(2, 4), slice(4, 5))]
    message = (
        "The 3 batches have the losses {:.4f}, {:.4f} and {:.4f}, so mean_loss must be a third of their sum. "
        "(An average over the 5 examples would be {:.4f}.)"
    ).format(*losses, cross_entropy(H, Y).item())
    assert_close(mean_loss, sum(losses) / 3, rtol=1e-4, atol=0, msg=lambda m: f"{message}\n{m}")


def test_training_takes_one_step_a_batch(hw):
    """With opt, each batch in turn changes the parameters by one step along its own gradient."""
    X = torch.tensor([[1.0, 0.0], [2.0, -1.0], [0.0, 3.0], [-1.0, 1.0], [0.5, -2.0]])
    Y = torch.tensor([0, 1, 2, 0, 1])
    weight = torch.tensor([[1.0, 0.5], [-0.5, 2.0], [0.0, -1.0]])  # (classes, in_dim)
    wanted = weight
    for rows in (slice(0, 2), slice(2, 4), slice(4, 5)):
        upstream = (X[rows] @ wanted.T).softmax(1) - one_hot(Y[rows], 3)
        wanted = wanted - 0.5 * upstream.T @ X[rows] / len(upstream)

    models = hw.support("models")
    model = models.linear(2, 3)
    model.weight.data.copy_(weight)
    model.weight.grad = torch.ones(3, 2)  # left over from before: must not count
    hw.epoch(model, X, Y, models.sgd(model, lr=0.5), batch_size=2)

    message = (
        "After epoch on 5 examples with batch_size=2, the weight must be where 3 steps lead: "
        "one for each batch, in order, with the gradient of its own batch only."
    )
    # float32: rounding is below 1e-5 here, and a step is of the order of 0.1
    assert_close(model.weight.detach(), wanted, rtol=1e-4, atol=1e-4, msg=lambda m: f"{message}\n{m}")


@pytest.mark.cooperative
def test_evaluation_changes_nothing(hw):
    """Without opt, neither the parameters nor their gradients change."""
    X = torch.tensor([[1.0, 0.0], [2.0, -1.0], [0.0, 3.0]])
    Y = torch.tensor([0, 1, 2])
    weight = torch.tensor([[1.0, 0.5], [-0.5, 2.0], [0.0, -1.0]])  # (classes, in_dim)

    model = hw.support("models").linear(2, 3)
    model.weight.data.copy_(weight)
    _, mean_loss = hw.epoch(model, X, Y, batch_size=3)

    assert isinstance(mean_loss, float), f"epoch must return two floats; mean_loss is {mean_loss!r}."
    wanted = cross_entropy(X @ weight.T, Y).item()
    message = "mean_loss must be the cross-entropy of the only batch."
    assert_close(mean_loss, wanted, rtol=1e-4, atol=0, msg=lambda m: f"{message}\n{m}")
    message = "epoch without opt must leave the weight of the model alone."
    assert_close(model.weight.detach(), weight, rtol=0, atol=0, msg=lambda m: f"{message}\n{m}")
    assert model.weight.grad is None, "epoch without opt must leave no gradient behind; weight.grad was None before."
