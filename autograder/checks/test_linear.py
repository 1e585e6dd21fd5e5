"""Hidden checks of linear.py; each statistical one rejects a right answer with probability at most 1e-6."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Parameter

from .inputs import (
    FALSE_FAILURE_RATE,
    assert_gradcheck,
    assert_matches,
    assert_variance,
    dtypes,
    gradients,
    layouts,
    randn,
    shapes,
    sides,
    unchanged,
)

NORMAL = torch.distributions.Normal(*torch.tensor([0.0, 1.0], dtype=torch.float64))


def build(hw, in_dim, out_dim, dtype=torch.float64, bias=True):
    """Return a layer with new weights and, if it has one, a bias that is not zero."""
    layer = hw.Linear(in_dim, out_dim, bias=bias).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(randn(*parameter.shape, dtype=dtype))
    return layer


def affine(layer, X):
    """Return what the layer should."""
    Z = X.detach() @ layer.weight.detach()
    return Z if layer.bias is None else Z + layer.bias.detach()


def assert_gradients(layer, X, upstream):
    """Compare the gradients for X and the parameters with those of the closed form, summed over all rows."""
    inputs = {"X": X, **dict(layer.named_parameters())}
    weight = layer.weight.detach()
    rows, upstream_rows = X.detach().reshape(-1, weight.shape[0]), upstream.reshape(-1, weight.shape[1])
    expected = {
        "X": upstream @ weight.T,
        "weight": rows.T @ upstream_rows,
        "bias": upstream_rows.sum(0),
    }
    found = gradients(layer(X), list(inputs.values()), upstream, list(inputs))
    for name, gradient in zip(inputs, found, strict=True):
        assert_matches(gradient, expected[name], f"the gradient for {name} with X of shape {tuple(X.shape)}")


def test_names_of_parameters(hw):
    """`weight` and `bias` are Parameters, registered under these names, and there are no others."""
    layer = hw.Linear(4, 3)
    names = sorted(name for name, _ in layer.named_parameters())
    assert names == ["bias", "weight"], f"the parameters should be bias and weight; they are {names}"
    for name in names:
        assert isinstance(getattr(layer, name), Parameter), f"{name} should be a Parameter"
        assert getattr(layer, name).requires_grad, f"{name} should require a gradient"
        assert name in layer.state_dict(), f"{name} should be in the state dict"


@given(in_dim=sides, out_dim=sides)
def test_shapes_of_parameters(hw, in_dim, out_dim):
    """`weight` has shape (in_dim, out_dim) and `bias` (out_dim), both float32."""
    layer = hw.Linear(in_dim, out_dim)
    for name, shape in (("weight", (in_dim, out_dim)), ("bias", (out_dim,))):
        parameter = getattr(layer, name)
        assert parameter.shape == shape, f"{name} should have shape {shape}; it has {tuple(parameter.shape)}"
        assert parameter.dtype == torch.float32, f"{name} should be float32; it is {parameter.dtype}"


@given(in_dim=sides, out_dim=sides, batch=sides)
def test_without_bias(hw, in_dim, out_dim, batch):
    """With `bias=False`, `bias` is `None`, `weight` is the only parameter, and the result is `X @ weight`."""
    layer = build(hw, in_dim, out_dim, bias=False)
    assert layer.bias is None, f"bias should be None; it is {layer.bias!r}"
    names = [name for name, _ in layer.named_parameters()]
    assert names == ["weight"], f"weight should be the only parameter; there are {names}"
    X = randn(batch, in_dim).requires_grad_()
    assert_matches(layer(X).detach(), affine(layer, X), "the result without bias")
    assert_gradients(layer, X, randn(batch, out_dim))


@pytest.mark.points(2)
@given(in_dim=sides, out_dim=sides, batch=sides)
def test_values(hw, in_dim, out_dim, batch):
    """The result is `X @ weight + bias`."""
    layer, X = build(hw, in_dim, out_dim), randn(batch, in_dim)
    expected = affine(layer, X)
    assert_matches(layer(X).detach(), expected, "the result")


@pytest.mark.points(2)
@given(in_dim=sides, out_dim=sides, batch=sides)
def test_gradients(hw, in_dim, out_dim, batch):
    """The gradients for X, weight and bias are right for random upstream gradients."""
    layer, X = build(hw, in_dim, out_dim), randn(batch, in_dim).requires_grad_()
    assert_gradients(layer, X, randn(batch, out_dim))


@pytest.mark.points(2)
@given(leading=shapes(0, 3), in_dim=sides, out_dim=sides)
def test_leading_dimensions(hw, leading, in_dim, out_dim):
    """X may have 1 to 4 dimensions: values, shape and gradients are right for all."""
    layer, X = build(hw, in_dim, out_dim), randn(*leading, in_dim).requires_grad_()
    assert_matches(layer(X).detach(), affine(layer, X), f"the result for X of shape {tuple(X.shape)}")
    assert_gradients(layer, X, randn(*leading, out_dim))


@given(in_dim=sides, out_dim=sides)
def test_empty_batch(hw, in_dim, out_dim):
    """A batch without rows gives a result without rows."""
    layer, X = build(hw, in_dim, out_dim), randn(0, in_dim).requires_grad_()
    assert_matches(layer(X).detach(), affine(layer, X), "the result for X without rows")
    assert_gradients(layer, X, randn(0, out_dim))


def test_gradcheck(hw):
    """`torch.autograd.gradcheck` agrees, over X, weight and bias."""
    layer, X = build(hw, 3, 2), randn(2, 3).requires_grad_()
    assert_gradcheck(lambda *inputs: layer(inputs[0]), X, layer.weight, layer.bias)
    assert_matches(layer(X).detach(), affine(layer, X), "the result")


@given(leading=shapes(2, 2), in_dim=sides, out_dim=sides, layout=layouts)
def test_layouts(hw, leading, in_dim, out_dim, layout):
    """X may lie in memory in any way: transposed, with gaps, expanded."""
    layer, X = build(hw, in_dim, out_dim), randn(*leading, in_dim, layout=layout).requires_grad_()
    assert_matches(layer(X).detach(), affine(layer, X), f"the result for X that is {layout}")
    assert_gradients(layer, X, randn(*leading, out_dim))


@given(in_dim=sides, out_dim=sides, bias=st.booleans(), dtype=dtypes)
def test_dtype_is_kept(hw, in_dim, out_dim, bias, dtype):
    """The result has the dtype that X and the parameters share, and its precision."""
    layer, X = build(hw, in_dim, out_dim, dtype, bias), randn(3, in_dim, dtype=dtype)
    assert_matches(layer(X).detach(), affine(layer, X), "the result")


@given(in_dim=sides, out_dim=sides, batch=sides)
def test_second_call(hw, in_dim, out_dim, batch):
    """Calling the layer changes none of its parameters, and a second call gives the same."""
    layer, X, other = build(hw, in_dim, out_dim), randn(batch, in_dim), randn(batch, in_dim)
    expected = affine(layer, X)
    with unchanged(weight=layer.weight, bias=layer.bias):
        layer(X)
        layer(other)
        assert_matches(layer(X).detach(), expected, "the result of a later call")


@pytest.mark.cooperative
@given(leading=shapes(0, 2), in_dim=sides, out_dim=sides, bias=st.booleans())
def test_input_is_not_modified(hw, leading, in_dim, out_dim, bias):
    """X is left as it was."""
    layer, X = build(hw, in_dim, out_dim, bias=bias), randn(*leading, in_dim)
    expected = affine(layer, X)
    with unchanged(X=X):
        assert_matches(layer(X).detach(), expected, "the result")


@given(in_dim=sides, out_dim=sides)
def test_bias_starts_at_zero(hw, in_dim, out_dim):
    """The bias starts as zeros, and learns from there: its gradient is right for a new layer."""
    layer = hw.Linear(in_dim, out_dim)
    assert_matches(layer.bias.detach(), torch.zeros(out_dim), "the bias of a new layer")
    X, upstream = randn(3, in_dim, dtype=torch.float32).requires_grad_(), randn(3, out_dim, dtype=torch.float32)
    assert_gradients(layer, X, upstream)


def test_weights_have_mean_zero(hw):
    """The weights start with mean 0.

    The mean of n normal weights is normal with standard deviation sigma / sqrt(n); with n = 100,000, sigma
    may be taken from the sample.
    """
    weight = hw.Linear(400, 250).weight.detach().double()
    allowed = -NORMAL.icdf(torch.tensor(FALSE_FAILURE_RATE / 2)) * weight.std() / math.sqrt(weight.numel())
    assert weight.mean().abs() <= allowed, (
        f"the mean of {weight.numel()} weights should be within {allowed:.3g} of 0; it is {weight.mean():.3g}"
    )


@pytest.mark.points(2)
def test_variance_of_weights(hw):
    """The weights start with variance `init_factor / in_dim`, where `init_factor` is 2 if not given."""
    for in_dim, out_dim, bias in ((500, 40, True), (40, 500, True), (1, 20000, True), (500, 40, False)):
        layer = hw.Linear(in_dim, out_dim, bias=bias)
        assert_variance(layer.weight, 2 / in_dim, f"the weights of Linear({in_dim}, {out_dim}, bias={bias})")


def test_init_factor(hw):
    """The variance of the weights is proportional to `init_factor`, given by name or in fourth place."""
    for factor in (0.25, 1.0, 9.0):
        layer = hw.Linear(100, 200, init_factor=factor)
        assert_variance(layer.weight, factor / 100, f"the weights of Linear(100, 200, init_factor={factor})")
    weight = hw.Linear(200, 100, False, 5.0).weight
    assert_variance(weight, 5 / 200, "the weights of Linear(200, 100, False, 5.0)")


def test_weights_are_normal(hw):
    """The weights start normal: the distribution has the right shape, whatever its mean and variance.

    The largest distance D between the distribution functions of n = 100,000 weights and of the normal
    distribution is bounded by P(D > d) <= 2 exp(-2 n d^2) (Dvoretzky, Kiefer, Wolfowitz; the constant by
    Massart, 1990). Mean and variance are taken from the sample, which makes D smaller still: the process has,
    at every point, less variance than with the true ones (Durbin, 1973). A uniform distribution has
    D = 0.057, about six times the bound.
    """
    weight = hw.Linear(400, 250).weight.detach().double().flatten().sort().values
    n = weight.numel()
    normal = NORMAL.cdf((weight - weight.mean()) / weight.std())
    steps = torch.arange(n + 1) / n
    distance = torch.maximum((normal - steps[:-1]).max(), (steps[1:] - normal).max())
    allowed = math.sqrt(math.log(2 / FALSE_FAILURE_RATE) / (2 * n))
    assert distance <= allowed, (
        f"the weights should be normal: the distribution function of {n} of them should be within "
        f"{allowed:.3g} of the normal one; it is {distance:.3g} away"
    )


def test_weights_are_drawn_one_by_one(hw):
    """Every weight is drawn on its own, and two layers differ.

    Two normal float32 numbers are equal with probability below 1e-6, so more than ten such pairs among the
    180,000 of 600 weights come up with probability below 1e-13.
    """
    first, second = hw.Linear(30, 20).weight.detach(), hw.Linear(30, 20).weight.detach()
    assert not torch.equal(first, second), "two layers of the same size should start with different weights"
    distinct = first.unique().numel()
    assert distinct >= 590, f"600 weights should all differ; there are only {distinct} different values"
