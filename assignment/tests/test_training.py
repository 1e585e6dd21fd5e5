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

    assert isinstance(loss, torch.Tensor), f"loss_01 must return a tensor; it returned {loss!r}"
    assert loss.shape == () and loss.is_floating_point(), (
        f"loss_01 must be of shape () and floating; it is of shape {tuple(loss.shape)} and {loss.dtype}"
    )
    assert loss.item() == 0.25, f"The last of 4 rows is wrong, so loss_01 must be 0.25; it is {loss.item()}"


def test_averages_are_over_batches(hw):
    """mean_err and mean_loss are averages over BATCHES, not over examples; the last batch may be smaller."""
    # 5 examples in batches of 2: rows 0-1, 2-3 and 4. Only the last row is wrong, and by much.
    H = torch.tensor([[4.0, 0.0], [0.0, 4.0], [4.0, 0.0], [0.0, 4.0], [0.0, 8.0]])
    Y = torch.tensor([0, 1, 0, 1, 0])
    model = hw.support("models").identity()  # the inputs are the logits

    result = hw.epoch(model, H, Y, batch_size=2)

    assert isinstance(result, (tuple, list)) and len(result) == 2, (
        f"epoch must return (mean_err, mean_loss), not {result!r}"
    )
    mean_err, mean_loss = result
    assert isinstance(mean_err, float) and isinstance(mean_loss, float), (
        f"epoch must return two floats; it returned {result!r}. What makes a number of a tensor?"
    )
    assert mean_err == pytest.approx(1 / 3), (
        f"The errors of the 3 batches are 0, 0 and 1, so mean_err must be 1/3; it is {mean_err}. "
        "(An average over the 5 examples would be 0.2; one that leaves out the last batch would be 0.)"
    )
    losses = [cross_entropy(H[rows], Y[rows]).item() for rows in (slice(0, 2), slice(2, 4), slice(4, 5))]
    assert mean_loss == pytest.approx(sum(losses) / 3, rel=1e-4), (
        f"The 3 batches have the losses {losses}, so mean_loss must be {sum(losses) / 3}; "
        f"it is {mean_loss}. (An average over the 5 examples would be {cross_entropy(H, Y).item()}.)"
    )


def test_training_takes_one_step_a_batch(hw):
    """With opt, each batch in turn changes the parameters by one step along its own gradient."""
    X, Y = torch.randn(7, 4), torch.tensor([0, 1, 2, 0, 1, 2, 0])
    models = hw.support("models")
    model = models.linear(4, 3)
    weight = model.weight.detach().clone()  # (3, 4)
    model.weight.grad = torch.ones(3, 4)  # left over from before: must not count

    hw.epoch(model, X, Y, models.sgd(model, lr=0.5), batch_size=3)

    for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
        upstream = (X[rows] @ weight.T).softmax(1) - one_hot(Y[rows], 3)
        weight -= 0.5 * upstream.T @ X[rows] / len(upstream)
    message = (
        "After epoch on 7 examples with batch_size=3, the weight is not where 3 steps lead: "
        "one for each batch, in order, with the gradient of its own batch only."
    )
    # float32: rounding is below 1e-5 here, and a step is of the order of 0.1
    assert_close(model.weight.detach(), weight, rtol=1e-4, atol=1e-4, msg=lambda m: f"{message}\n{m}")


@pytest.mark.cooperative
def test_evaluation_changes_nothing(hw):
    """Without opt, neither the parameters nor their gradients change."""
    X, Y = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
    model = hw.support("models").linear(4, 3)
    weight = model.weight.detach().clone()

    _, mean_loss = hw.epoch(model, X, Y, batch_size=5)

    wanted = cross_entropy(X @ weight.T, Y).item()
    assert isinstance(mean_loss, float), f"epoch must return two floats; mean_loss is {mean_loss!r}"
    assert mean_loss == pytest.approx(wanted, rel=1e-4), f"mean_loss must be {wanted}; it is {mean_loss}"
    assert torch.equal(model.weight.detach(), weight), "epoch without opt has changed the weight of the model"
    assert model.weight.grad is None, f"epoch without opt has left a gradient: weight.grad is {model.weight.grad}"
