"""Hidden checks of the question sequential."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from .inputs import assert_matches, dtypes, gradients, randn, shapes

numbers = st.sampled_from([-2.0, -0.5, 1.5, 3.0])
affine = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4)


@pytest.mark.points(2)
@settings(max_examples=25)
@given(affine=affine, shape=shapes(), dtype=dtypes)
def test_composition(hw, affine, shape, dtype):
    """Each layer works on the output of the layer before it, in the order given, for inputs of any shape."""
    layers = [hw.support("recording").Affine(scale, shift) for scale, shift in affine]
    X = randn(*shape, dtype=dtype)
    expected = X
    for scale, shift in affine:
        expected = scale * expected + shift
    assert_matches(hw.Sequential(*layers)(X).detach(), expected, "the output")


@pytest.mark.cooperative
def test_each_layer_is_called_once(hw):
    """A call of the network calls each layer once, first to last."""
    recording = hw.support("recording")
    log = recording.Log()
    model = hw.Sequential(*(recording.Affine(2, 1, name, log) for name in "abcd"))
    built = log.read()
    assert built == [], f"building the network should call no layer; it called {built}"
    for call in (1, 2):
        model(randn(3))
        entries = log.read()
        assert entries == list("abcd") * call, f"layers a, b, c, d; calls after {call} of the network: {entries}"


def mixed_layers(hw):
    """Return Linear(4, 5), ReLU, Linear(5, 3) in double precision."""
    return hw.Linear(4, 5).double(), hw.ReLU(), hw.Linear(5, 3).double()


def test_names(hw):
    """The layers are in self.layers, a ModuleList, so that parameters are named layers.0.weight and so on."""
    first, relu, last = mixed_layers(hw)
    model = hw.Sequential(first, relu, last)
    assert isinstance(model.layers, torch.nn.ModuleList), "self.layers should be a ModuleList"
    assert len(model.layers) == 3, f"self.layers should hold the 3 layers; it holds {len(model.layers)}"
    expected = [f"layers.{i}.{name}" for i in (0, 2) for name in ("bias", "weight")]
    names = sorted(model.state_dict())
    assert names == expected, f"state_dict() should name {expected}; it names {names}"


def test_gradients(hw):
    """Gradients reach the input and the parameters of every layer, and are right."""
    first, relu, last = mixed_layers(hw)
    model = hw.Sequential(first, relu, last)
    X, upstream = randn(6, 4).requires_grad_(), randn(6, 3)
    inputs = [X, first.weight, first.bias, last.weight, last.bias]
    names = ["X", "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    expected = (X @ first.weight + first.bias).clamp(min=0) @ last.weight + last.bias
    found = gradients(model(X), inputs, upstream, names)
    wanted = torch.autograd.grad(expected, inputs, upstream)
    for name, actual, gradient in zip(names, found, wanted, strict=True):
        assert_matches(actual, gradient, f"the gradient for {name}")


@pytest.mark.points(2)
def test_parameters_reach_the_optimizer(hw):
    """An optimizer of model.parameters() changes the layers that were given, and so the output."""
    first, relu, last = mixed_layers(hw)
    model = hw.Sequential(first, relu, last)
    parameters = list(model.parameters())
    assert len(parameters) == 4, f"parameters() should give 4 parameters; it gives {len(parameters)}"
    X = randn(6, 4)
    model(X).square().mean().backward()
    torch.optim.SGD(parameters, lr=0.1).step()
    for p in parameters:
        assert p.grad is not None, "after backward, every parameter should have a gradient"
    expected = (X @ first.weight + first.bias).clamp(min=0) @ last.weight + last.bias
    assert_matches(model(X).detach(), expected.detach(), "the output after a step of the optimizer")


def test_layers_are_not_copied(hw):
    """The network uses the very layers it was given: changing one changes the network."""
    layers = mixed_layers(hw)
    model = hw.Sequential(*layers)
    assert model.layers[0].weight is layers[0].weight, "layers[0] should be the layer given first, not a copy"
    X = randn(2, 4)
    with torch.no_grad():
        layers[0].weight.zero_()
        layers[0].bias.fill_(1.0)
        layers[2].bias.copy_(randn(3))
    expected = layers[2].weight.sum(0) + layers[2].bias
    assert_matches(model(X).detach(), expected.detach().expand(2, 3), "the output after changing a layer")


@settings(max_examples=20)
@given(shape=shapes(min_side=0), dtype=dtypes)
def test_no_layers(hw, shape, dtype):
    """A network of no layers is the identity, and so is its gradient."""
    X, upstream = randn(*shape, dtype=dtype).requires_grad_(), randn(*shape, dtype=dtype)
    output = hw.Sequential()(X)
    assert_matches(output.detach(), X.detach(), "the output of Sequential()", 0)
    (found,) = gradients(output, [X], upstream, ["X"])
    assert_matches(found, upstream, "the gradient for X", 0)


def test_nesting(hw):
    """A network can be a layer of another network."""
    recording = hw.support("recording")
    a, b, c, d = (recording.Affine(*numbers) for numbers in [(2, 1), (-3, 0.5), (0.5, 4), (1.5, -2)])
    model = hw.Sequential(a, hw.Sequential(b, hw.Sequential(), c), d)
    X = randn(2, 3)
    expected = 1.5 * (0.5 * (-3 * (2 * X + 1) + 0.5) + 4) - 2
    assert_matches(model(X).detach(), expected, "the output of the nested network")
    count = len(list(model.parameters()))
    assert count == 4, f"the nested network should have the 4 parameters of its layers; it has {count}"


def test_one_layer_twice(hw):
    """A layer that is given twice is applied twice, and its gradient is the sum of both uses."""
    layer, other = (hw.support("recording").Affine(*numbers) for numbers in [(2, 1), (-3, 0.5)])
    model = hw.Sequential(layer, other, layer)
    X, upstream = randn(2, 3), randn(2, 3)
    output = model(X)
    assert_matches(output.detach(), 2 * (-3 * (2 * X + 1) + 0.5) + 1, "the output")
    count = len(list(model.parameters()))
    assert count == 2, f"two different layers have 2 parameters between them; parameters() gives {count}"
    (found,) = gradients(output, [layer.scale], upstream, ["the layer's parameter"])
    expected = (upstream * (-3 * (2 * X + 1) + 0.5 - 6 * X)).sum()
    assert_matches(found, expected, "the gradient for the layer's parameter")


def test_networks_are_independent(hw):
    """Two networks do not share layers, and a network can be called again and again."""
    recording = hw.support("recording")
    one = hw.Sequential(recording.Affine(2, 1))
    two = hw.Sequential(recording.Affine(-3, 0.5), recording.Affine(3, 0))
    X = randn(4)
    for call in ("first", "second", "third"):
        assert_matches(one(X).detach(), 2 * X + 1, f"the output of the first network, {call} call")
        assert_matches(two(X).detach(), -9 * X + 1.5, f"the output of the second network, {call} call")
