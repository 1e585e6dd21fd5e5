"""Hidden checks of the question two_layer_nn."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from .inputs import assert_matches, dtypes, gradients, randn

sides = st.integers(1, 6)
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def parameters_of(model):
    """Return W1, b1, W2, b2 through their names in the contract."""
    return [model.get_parameter(name) for name in NAMES]


def network(hw, in_dim, hidden_dim, out_dim, dtype=torch.float64):
    """Return a network and its four parameters, all of them random, the biases too."""
    model = hw.TwoLayerNN(in_dim, hidden_dim, out_dim).to(dtype)
    parameters = parameters_of(model)
    with torch.no_grad():
        for p in parameters:
            p.copy_(randn(*p.shape))
    return model, parameters


def logits(X, W1, b1, W2, b2):
    """Return what the network should return."""
    return (X @ W1 + b1).clamp(min=0) @ W2 + b2


def test_names(hw):
    """The network has linear1, relu and linear2, and only the weights and biases of these."""
    model = hw.TwoLayerNN(4, 6, 3)
    shapes = {name: tuple(model.get_parameter(name).shape) for name in NAMES}
    expected = dict(zip(NAMES, [(4, 6), (6,), (6, 3), (3,)], strict=True))
    assert shapes == expected, f"TwoLayerNN(4, 6, 3) should have parameters {expected}; it has {shapes}"
    count = len(list(model.parameters()))
    assert count == 4, f"parameters() should give 4 parameters; it gives {count}"
    assert hasattr(model, "relu"), "the network should have an attribute relu"
    assert_matches(model.relu(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]), "relu of [-1, 2]")


@pytest.mark.points(2)
@given(batch=sides, in_dim=sides, hidden_dim=sides, out_dim=sides, dtype=dtypes)
def test_values(hw, batch, in_dim, hidden_dim, out_dim, dtype):
    """The output is linear2(relu(linear1(X))), whatever the parameters are."""
    model, parameters = network(hw, in_dim, hidden_dim, out_dim, dtype)
    X = randn(batch, in_dim, dtype=dtype)
    expected = logits(X.double(), *(p.detach().double() for p in parameters)).to(dtype)
    assert_matches(model(X).detach(), expected, "the output")


@pytest.mark.points(2)
@settings(max_examples=25)
@given(batch=sides, in_dim=sides, hidden_dim=sides, out_dim=sides)
def test_gradients(hw, batch, in_dim, hidden_dim, out_dim):
    """Gradients reach the inputs and all four parameters, and are right."""
    model, parameters = network(hw, in_dim, hidden_dim, out_dim)
    inputs = [randn(batch, in_dim).requires_grad_(), *parameters]
    upstream = randn(batch, out_dim)
    found = gradients(model(inputs[0]), inputs, upstream, ["X", *NAMES])
    expected = torch.autograd.grad(logits(*inputs), inputs, upstream)
    for name, actual, wanted in zip(["X", *NAMES], found, expected, strict=True):
        assert_matches(actual, wanted, f"the gradient for {name}")


def assert_variance(weight, expected, name):
    """Leave room for 5 standard deviations of a mean of squares: 1e-6 of right answers are outside."""
    found = weight.detach().double().square().mean().item()
    room = 5 * expected * math.sqrt(2 / weight.numel())
    assert abs(found - expected) <= room, (
        f"TwoLayerNN(300, 200, 150).{name} should start with mean 0 and variance {expected:.5f} "
        f"(within {room:.5f}); the mean of its squares is {found:.5f}"
    )


def test_variance_of_linear1(hw):
    """The weights of linear1 start with variance 2 / in_dim: a ReLU follows them."""
    assert_variance(hw.TwoLayerNN(300, 200, 150).linear1.weight, 2 / 300, "linear1.weight")


@pytest.mark.points(2)
def test_variance_of_linear2(hw):
    """The weights of linear2 start with variance 1 / hidden_dim: init_factor is 1.0."""
    assert_variance(hw.TwoLayerNN(300, 200, 150).linear2.weight, 1 / 200, "linear2.weight")


def test_forward_creates_nothing(hw):
    """Calling the network leaves its parameters as they are; each call gives the output for its inputs."""
    model = hw.TwoLayerNN(4, 6, 3)
    before = parameters_of(model)
    values = [p.detach().clone() for p in before]
    X = randn(5, 4, dtype=torch.float32)
    first, second = model(X).detach(), model(X).detach()
    assert_matches(second, first, "the output of the second call")
    X = randn(5, 4, dtype=torch.float32)
    assert_matches(model(X).detach(), logits(X, *values), "the output of a later call, for other inputs")
    for name, p, q, value in zip(NAMES, before, parameters_of(model), values, strict=True):
        assert p is q, f"forward put a new parameter in the place of {name}; create the layers in __init__"
        assert_matches(q.detach(), value, f"{name} after three calls", 0)
    count = len(list(model.parameters()))
    assert count == 4, f"there should be 4 parameters after three calls; there are {count}"


def test_networks_are_independent(hw):
    """Two networks start with different weights, and changing one leaves the other as it is."""
    one, two = hw.TwoLayerNN(4, 6, 3), hw.TwoLayerNN(4, 6, 3)
    X = randn(5, 4, dtype=torch.float32)
    before = two(X).detach()
    for name in NAMES[::2]:
        same = torch.equal(one.get_parameter(name), two.get_parameter(name))
        assert not same, f"{name} should be random; two networks started with the same numbers"
    with torch.no_grad():
        for p in parameters_of(one):
            p.fill_(1.0)
    assert_matches(two(X).detach(), before, "the output of one network after changing another", 0)
