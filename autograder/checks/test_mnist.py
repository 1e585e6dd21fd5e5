"""Hidden checks of the question mnist: the student's own parts together, on real images.

The labels of the test set stay here: the student's network returns logits, and these checks score them.
"""

import math
from contextlib import contextmanager

import pytest
import torch
from torch.nn.functional import cross_entropy

from autograder.checks.inputs import randn

SIZES = 784, 100, 10
RATE, STEPS, BATCH = 0.1, 10, 100
# How far a parameter may be off, as a part of the way that it went in ten steps. Rounding in float32 makes 1e-6 (more
# only where it turns the sign of a hidden value, which is why none comes near 0); a 1 % error in the rate makes 0.005.
ROOM = 0.002

_digits = {}


def digits(homework):
    """Return MNIST, loaded once, with a byte a pixel: training images and labels, test images and labels."""
    if not _digits:
        X, Y, X_test, Y_test = homework.load_module("assignment/data.py").load_mnist()
        X, X_test = (torch.cat([(255 * part).round().byte() for part in images.split(5000)]) for images in (X, X_test))
        _digits.update(train=(X, Y), test=(X_test, Y_test))
    return *_digits["train"], *_digits["test"]


def two_layer_nn(hw):
    """Return a TwoLayerNN and its parameters W1, b1, W2, b2."""
    model = hw.TwoLayerNN(*SIZES)
    return model, [getattr(layer, p) for layer in (model.linear1, model.linear2) for p in ("weight", "bias")]


def sequential(hw):
    """Return the same network as a Sequential, and its parameters W1, b1, W2, b2."""
    in_dim, hidden_dim, out_dim = SIZES
    layers = hw.Linear(in_dim, hidden_dim), hw.ReLU(), hw.Linear(hidden_dim, out_dim, init_factor=1.0)
    return hw.Sequential(*layers), [getattr(layer, p) for layer in layers[::2] for p in ("weight", "bias")]


def logits(X, W1, b1, W2, b2):
    """Return the logits of the network."""
    return (X @ W1 + b1).clamp(min=0) @ W2 + b2


def initial_weights():
    """Return random W1, b1, W2, b2."""
    in_dim, hidden_dim, out_dim = SIZES
    W1, b1 = torch.randn(in_dim, hidden_dim) * math.sqrt(2 / in_dim), 0.1 * torch.randn(hidden_dim)
    W2, b2 = torch.randn(hidden_dim, out_dim) * math.sqrt(1 / hidden_dim), 0.1 * torch.randn(out_dim)
    return [W1, b1, W2, b2]


def follow(X, Y, parameters):
    """Return loss and parameters after the first steps in double precision, and how near 0 a hidden value came."""
    losses, nearest = [], math.inf
    for x, y in zip(X.double().split(BATCH), Y.split(BATCH), strict=True):
        parameters = [p.detach().double().requires_grad_() for p in parameters]
        nearest = min(nearest, (x @ parameters[0] + parameters[1]).detach().abs().min().item())
        loss = cross_entropy(logits(x, *parameters), y)
        grads = torch.autograd.grad(loss, parameters)
        parameters = [p - RATE * grad for p, grad in zip(parameters, grads, strict=True)]
        losses.append(loss.item())
    return sum(losses) / len(losses), [p.detach() for p in parameters], nearest


def wrong_parts(hw):
    """Return the names of the parts that go wrong alone, on a tiny example."""
    X, Y = randn(6, 4, dtype=torch.float32), torch.tensor([0, 2, 1, 1, 0, 2])

    def linear():
        layer = hw.Linear(4, 3)
        return layer(X), X @ layer.weight + layer.bias

    def two_layer_nn():
        model = hw.TwoLayerNN(4, 5, 3)
        one, two = model.linear1, model.linear2
        return model(X), logits(X, one.weight, one.bias, two.weight, two.bias)

    def sequential():
        one, two = hw.Linear(4, 5), hw.Linear(5, 3)
        return hw.Sequential(one, hw.ReLU(), two)(X), logits(X, one.weight, one.bias, two.weight, two.bias)

    def sgd():
        p = torch.nn.Parameter(X.clone())
        p.grad = X.cos()
        hw.SGD([p], lr=0.1).step()
        return p, X - 0.1 * X.cos()

    def training():
        layer = hw.Linear(4, 3)
        pairs = [(layer(x), y) for x, y in zip(X.split(3), Y.split(3), strict=True)]
        expected = [((H.argmax(1) != y).float().mean(), cross_entropy(H, y)) for H, y in pairs]
        return torch.tensor(hw.epoch(layer, X, Y, batch_size=3)), torch.tensor(expected).mean(0)

    parts = {
        "linear": linear,
        "relu": lambda: (hw.ReLU()(X), X.clamp(min=0)),
        "cross_entropy_loss": lambda: (hw.CrossEntropyLoss()(X, Y), cross_entropy(X, Y)),
        "two_layer_nn": two_layer_nn,
        "sequential": sequential,
        "sgd": sgd,
        "training": training,
    }
    for name, part in parts.items():
        try:
            torch.testing.assert_close(*part(), rtol=1e-4, atol=1e-4)
        except Exception:  # whatever goes wrong, it is this part's; the first failure says what it was
            yield name


@contextmanager
def naming_the_parts(hw):
    """Add to a failure which of the parts fail alone."""
    try:
        yield
    except Exception as error:
        names = ", ".join(wrong_parts(hw))
        hint = (
            f"These parts go wrong alone, on a tiny example; begin with their own checks: {names}."
            if names
            else "Each part alone gives the right values on a tiny example; see the other checks of the parts."
        )
        if isinstance(error, AssertionError):
            raise AssertionError(f"{error}\n{hint}") from None
        error.add_note(hint)
        raise


def check_first_steps(hw, homework, network):
    """Train for a few steps from weights that are given, and compare the parameters and what epoch returns."""
    X, Y, _, _ = digits(homework)
    X, Y = X[: STEPS * BATCH].float() / 255, Y[: STEPS * BATCH]
    nearest = 0.0
    while nearest < 1e-5:  # one draw in five is good; float32 rounds by 1e-6
        start = initial_weights()
        expected_loss, expected, nearest = follow(X, Y, start)
    with naming_the_parts(hw):
        model, parameters = network(hw)
        with torch.no_grad():
            for p, value in zip(parameters, start, strict=True):
                p.copy_(value)
        _, loss = hw.epoch(model, X, Y, hw.SGD(model.parameters(), lr=RATE), BATCH)
        for name, p, value, before in zip(["W1", "b1", "W2", "b2"], parameters, expected, start, strict=True):
            off = ((p.detach() - value).norm() / (value - before).norm()).item()
            assert off <= ROOM, (
                f"After {STEPS} steps with lr={RATE}, {name} is off by {off:.2%} of the way that it should have gone; "
                f"rounding explains far less than {ROOM:.1%}."
            )
        assert abs(loss - expected_loss) <= 1e-3 * expected_loss, (
            f"After {STEPS} steps, mean_loss should be {expected_loss:.5f}; it is {loss:.5f}"
        )


def check_accuracy(hw, homework, calibration, network, name):
    """Train on all images from the student's own initial weights, and score the logits of the test images."""
    X, Y, X_test, Y_test = digits(homework)
    with naming_the_parts(hw):
        model, _ = network(hw)
        support = hw.support("digits")
        support.train(hw.epoch, model, hw.SGD(model.parameters(), lr=0.5), hw.put(X), hw.put(Y), 2, BATCH)
        H = support.logits(model, X_test)
        assert H.shape == (len(Y_test), 10), f"the logits should have shape (10000, 10), not {tuple(H.shape)}"
        calibration.at_least(name, (H.argmax(1) == Y_test).double().mean().item())


@pytest.mark.points(2)
@pytest.mark.limits(cpu_seconds=60)
def test_first_steps_of_two_layer_nn(hw, homework):
    """From given weights, the first ten steps of TwoLayerNN on MNIST end at the right weights."""
    check_first_steps(hw, homework, two_layer_nn)


@pytest.mark.points(2)
@pytest.mark.limits(cpu_seconds=60)
def test_first_steps_of_sequential(hw, homework):
    """From given weights, the first ten steps of the same network as a Sequential end at the right weights."""
    check_first_steps(hw, homework, sequential)


@pytest.mark.points(3)
@pytest.mark.limits(cpu_seconds=180)
def test_accuracy_of_two_layer_nn(hw, homework, calibration):
    """Two epochs on MNIST teach TwoLayerNN to read the digits of the test set."""
    check_accuracy(hw, homework, calibration, two_layer_nn, "mnist_two_layer_nn_accuracy")


@pytest.mark.points(3)
@pytest.mark.limits(cpu_seconds=180)
def test_accuracy_of_sequential(hw, homework, calibration):
    """Two epochs on MNIST teach the same network as a Sequential to read the digits of the test set."""
    check_accuracy(hw, homework, calibration, sequential, "mnist_sequential_accuracy")
