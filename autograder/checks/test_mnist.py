"""Hidden checks of the question mnist: the student's own parts together, on real images.

The labels of the test set stay here: the student's network returns logits, and these checks score them.
"""

import math
from contextlib import contextmanager

import pytest
import torch
from torch.nn.functional import cross_entropy

from .inputs import randn
from .salted import salted

SIZES = 784, 100, 10
RATE, STEPS, BATCH = 0.1, 10, 100
EPOCHS, PART = 2, 4000  # PART images are sent at a time, a whole number of batches: a small container has 768 MB
# How far a parameter may be off, as a part of the way that it goes in ten steps. Rounding in float32 makes
# 2e-6, a 1 % error in the rate 0.005. Rounding could make more where it turns the sign of a hidden value, so
# the weights are drawn until none comes nearer to 0 than MARGIN, which one draw in five does.
ROOM, MARGIN = 0.002, 1e-5

_digits = {}


def digits(homework):
    """Return salted MNIST, loaded once, with a byte a pixel: training images and labels, test images and labels."""
    if not _digits:
        X, Y, X_test, Y_test = homework.load_module("assignment/data.py").load_bytes()
        for part, images, labels in (("train", X, Y), ("test", X_test, Y_test)):
            _digits[part] = salted(homework.salt, part, images, labels)
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
    W1, b1 = randn(in_dim, hidden_dim) * math.sqrt(2 / in_dim), 0.1 * randn(hidden_dim)
    W2, b2 = randn(hidden_dim, out_dim) * math.sqrt(1 / hidden_dim), 0.1 * randn(out_dim)
    return [p.float() for p in (W1, b1, W2, b2)]


def follow(network, X, Y, parameters, batch):
    """Return the mean loss and the parameters after one epoch in double precision."""
    losses = []
    for x, y in zip(X.double().split(batch), Y.split(batch), strict=True):
        parameters = [p.detach().double().requires_grad_() for p in parameters]
        loss = cross_entropy(network(x, *parameters), y)
        grads = torch.autograd.grad(loss, parameters)
        parameters = [p - RATE * grad for p, grad in zip(parameters, grads, strict=True)]
        losses.append(loss.item())
    return sum(losses) / len(losses), [p.detach() for p in parameters]


def tiny_examples(hw):
    """Return, by part, functions that return what came, what should come, and the inputs of gradients."""
    X, Y = randn(6, 4, dtype=torch.float32).requires_grad_(), torch.tensor([0, 2, 1, 1, 0, 2])

    def linear():
        layer = hw.Linear(4, 3)
        return layer(X), X @ layer.weight + layer.bias, [X, layer.weight, layer.bias]

    def network_of(one, two, model):
        parameters = [one.weight, one.bias, two.weight, two.bias]
        return model(X), logits(X, *parameters), [X, *parameters]

    def two_layer_nn():
        model = hw.TwoLayerNN(4, 5, 3)
        return network_of(model.linear1, model.linear2, model)

    def sequential():
        one, two = hw.Linear(4, 5), hw.Linear(5, 3)
        return network_of(one, two, hw.Sequential(one, hw.ReLU(), two))

    def sgd():
        parameters = [torch.nn.Parameter(X.detach().clone()) for _ in range(2)]
        opt = hw.SGD(iter(parameters), lr=RATE)
        opt.zero_grad()
        for p in parameters:
            p.grad = X.detach().cos()
        opt.step()
        opt.step()
        opt.zero_grad()
        opt.step()
        return torch.vstack(parameters), (X - 2 * RATE * X.cos()).repeat(2, 1), []

    def training():
        layer = hw.Linear(4, 3)
        loss, (W, b) = follow(lambda x, W, b: x @ W + b, X.detach(), Y, [layer.weight, layer.bias], 3)
        _, found = hw.epoch(layer, X.detach(), Y, hw.SGD(layer.parameters(), lr=RATE), 3)
        return torch.vstack([layer.weight, layer.bias]) + found, (torch.vstack([W, b]) + loss).float(), []

    return {
        "linear": linear,
        "relu": lambda: (hw.ReLU()(X), X.clamp(min=0), [X]),
        "cross_entropy_loss": lambda: (hw.CrossEntropyLoss()(X, Y), cross_entropy(X, Y), [X]),
        "two_layer_nn": two_layer_nn,
        "sequential": sequential,
        "sgd": sgd,
        "training": training,
    }


def wrong_parts(hw):
    """Return the names of the parts whose values or gradients are wrong on a tiny example."""
    wrong = []
    for name, example in tiny_examples(hw).items():
        try:
            actual, expected, inputs = example()
            torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
            if inputs:
                upstream = randn(*expected.shape, dtype=torch.float32)
                grads = torch.autograd.grad(actual, inputs, upstream, retain_graph=True)
                torch.testing.assert_close(grads, torch.autograd.grad(expected, inputs, upstream))
        except Exception:  # whatever it is, it is this part's: the failure that brought us here is reported
            wrong.append(name)
    return wrong


@contextmanager
def naming_the_parts(hw):
    """Add to a failure which of the parts fail alone."""
    try:
        yield
    except Exception as error:
        wrong = wrong_parts(hw)
        hint = "Each part alone is right on a tiny example; their own checks say more."
        if wrong:
            hint = f"Wrong on a tiny example: {', '.join(wrong)}. Begin with {wrong[0]}, which others may need."
        if isinstance(error, AssertionError):
            raise AssertionError(f"{error}\n{hint}") from None
        error.add_note(hint)
        raise


def check_first_steps(hw, homework, network):
    """Train for a few steps from given weights; compare the parameters and the loss that epoch returns."""
    X, Y, _, _ = digits(homework)
    X, Y = X[: STEPS * BATCH].float() / 255, Y[: STEPS * BATCH]
    nearest = 0.0

    def logits_and_margin(x, W1, b1, W2, b2):
        nonlocal nearest
        nearest = min(nearest, (x @ W1 + b1).abs().min().item())
        return logits(x, W1, b1, W2, b2)

    while nearest < MARGIN:
        start, nearest = initial_weights(), math.inf
        expected_loss, expected = follow(logits_and_margin, X, Y, start, BATCH)
    with naming_the_parts(hw):
        model, parameters = network(hw)
        with torch.no_grad():
            for p, value in zip(parameters, start, strict=True):
                p.copy_(value)
        _, loss = hw.epoch(model, X, Y, hw.SGD(model.parameters(), lr=RATE), BATCH)
        for name, p, value, before in zip(["W1", "b1", "W2", "b2"], parameters, expected, start, strict=True):
            off = ((p.detach() - value).norm() / (value - before).norm()).item()
            assert off <= ROOM, (
                f"After {STEPS} steps with lr={RATE}, {name} is off by {off:.2%} of the way it should go; "
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
        support, opt = hw.support("digits"), hw.SGD(model.parameters(), lr=0.5)
        for _ in range(EPOCHS):
            for images, labels in zip(X.split(PART), Y.split(PART), strict=True):
                support.train(hw.epoch, model, opt, images, labels)
        H = support.logits(model, X_test)
        assert H.shape == (len(Y_test), 10), f"the logits should have shape (10000, 10), not {tuple(H.shape)}"
        calibration.at_least(name, (H.argmax(1) == Y_test).double().mean().item())


@pytest.mark.points(2)
@pytest.mark.limits(cpu_seconds=60, wall_seconds=300)
def test_first_steps_of_two_layer_nn(hw, homework):
    """From given weights, the first ten steps of TwoLayerNN on MNIST end at the right weights."""
    check_first_steps(hw, homework, two_layer_nn)


@pytest.mark.points(2)
@pytest.mark.limits(cpu_seconds=60, wall_seconds=300)
def test_first_steps_of_sequential(hw, homework):
    """From given weights, the first ten steps of the same Sequential on MNIST end at the right weights."""
    check_first_steps(hw, homework, sequential)


@pytest.mark.points(3)
@pytest.mark.limits(cpu_seconds=300, wall_seconds=900)
def test_accuracy_of_two_layer_nn(hw, homework, calibration):
    """Two epochs on MNIST teach TwoLayerNN to read the digits of the test set."""
    check_accuracy(hw, homework, calibration, two_layer_nn, "mnist_two_layer_nn_accuracy")


@pytest.mark.points(3)
@pytest.mark.limits(cpu_seconds=300, wall_seconds=900)
def test_accuracy_of_sequential(hw, homework, calibration):
    """Two epochs on MNIST teach the same network as a Sequential to read the digits of the test set."""
    check_accuracy(hw, homework, calibration, sequential, "mnist_sequential_accuracy")
