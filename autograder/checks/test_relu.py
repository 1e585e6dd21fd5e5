"""Hidden checks of relu.py: elementwise, so values and gradients are known exactly."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Module

from .inputs import (
    assert_gradcheck,
    assert_matches,
    dtypes,
    gradients,
    layouts,
    randn,
    shapes,
    unchanged,
)

all_dtypes = st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16])
matrices = shapes(2, 2, min_side=2)
scales = st.sampled_from([1e-3, 1.0, 3000.0])


def entries(*shape, dtype=torch.float64, scale=1.0):
    """Return random entries of about this magnitude, up to the ends of the contract's domain at ±1e4."""
    return (scale * randn(*shape)).clamp(-1e4, 1e4).to(dtype)


def maximum_with_zero(X):
    """Return what ReLU should."""
    return torch.where(X > 0, X, torch.zeros_like(X)).detach()


def assert_gradient(hw, X, upstream):
    """Compare the gradient with the upstream one where X is positive, with 0 where it is negative."""
    (of_X,) = gradients(hw.ReLU()(X), (X,), upstream, ("X",))
    expected = torch.where(X.detach() > 0, upstream, torch.zeros_like(upstream))
    assert_matches(of_X, expected, f"the gradient for X of shape {tuple(X.shape)}")


@pytest.mark.points(2)
@given(shape=matrices, scale=scales)
def test_values(hw, shape, scale):
    """The result is the elementwise maximum with 0, for small and large entries."""
    X = entries(*shape, scale=scale)
    assert_matches(hw.ReLU()(X), maximum_with_zero(X), "the result")


@pytest.mark.points(2)
@given(shape=matrices, scale=scales, dtype=dtypes)
def test_gradient_away_from_zero(hw, shape, scale, dtype):
    """The gradient is the upstream gradient where X is positive, and 0 where X is negative."""
    X = entries(*shape, dtype=dtype, scale=scale).requires_grad_()
    assert_gradient(hw, X, randn(*shape, dtype=dtype))


def test_gradcheck(hw):
    """`torch.autograd.gradcheck` agrees, away from 0."""
    X = torch.tensor([[-3.0, -0.5, 0.5], [2.0, -1.0, 7.0]], dtype=torch.float64, requires_grad=True)
    assert_gradcheck(hw.ReLU(), X)
    assert_matches(hw.ReLU()(X).detach(), maximum_with_zero(X), "the result")


@given(shape=matrices, dtype=dtypes, zero=st.sampled_from([0.0, -0.0]))
def test_at_zero(hw, shape, dtype, zero):
    """At exactly 0 the result is 0, and the gradient is the upstream gradient times a number in [0, 1]."""
    X = entries(*shape, dtype=dtype)
    at_zero = torch.rand(shape) < 0.5
    X = torch.where(at_zero, torch.full_like(X, zero), X).requires_grad_()
    upstream = randn(*shape, dtype=dtype)
    result = hw.ReLU()(X)
    assert_matches(result.detach(), maximum_with_zero(X), "the result")
    (of_X,) = gradients(result, (X,), upstream, ("X",))
    factors = (of_X / upstream)[at_zero]
    assert ((factors >= -1e-6) & (factors <= 1 + 1e-6)).all(), (
        f"at 0 the gradient should be the upstream gradient times a number in [0, 1]; it is {factors}"
    )
    elsewhere = torch.where(X.detach() > 0, upstream, torch.zeros_like(upstream))
    assert_matches(of_X[~at_zero], elsewhere[~at_zero], "the gradient of the entries that are not 0")


@given(shape=matrices, dtype=all_dtypes, scale=scales)
def test_dtype_is_kept(hw, shape, dtype, scale):
    """The result has the dtype of X: float64, float32, float16 or bfloat16."""
    X = entries(*shape, dtype=dtype, scale=scale)
    assert_matches(hw.ReLU()(X), maximum_with_zero(X), "the result")


@given(shape=shapes(0, 4, min_side=0, max_side=3), dtype=dtypes)
def test_any_shape(hw, shape, dtype):
    """The result has the shape of X, for 0 to 4 dimensions, also when X is empty."""
    X = entries(*shape, dtype=dtype).requires_grad_()
    assert_matches(hw.ReLU()(X).detach(), maximum_with_zero(X), f"the result for X of shape {shape}")
    assert_gradient(hw, X, randn(*shape, dtype=dtype))


@given(shape=matrices, layout=layouts)
def test_layouts(hw, shape, layout):
    """X may lie in memory in any way: transposed, with gaps, expanded."""
    X = randn(*shape, layout=layout).requires_grad_()
    assert_matches(hw.ReLU()(X).detach(), maximum_with_zero(X), f"the result for X that is {layout}")
    assert_gradient(hw, X, randn(*shape))


@given(shape=matrices)
def test_two_uses_before_backward(hw, shape):
    """One ReLU can be used twice before the first backward: it remembers nothing of its last input."""
    relu = hw.ReLU()
    Xs = [entries(*shape).requires_grad_() for _ in range(2)]
    results = [relu(X) for X in Xs]
    for X, result in zip(Xs, results, strict=True):
        upstream = randn(*shape)
        assert_matches(result.detach(), maximum_with_zero(X), "the result of one of two uses")
        (of_X,) = gradients(result, (X,), upstream, ("X",))
        expected = torch.where(X.detach() > 0, upstream, torch.zeros_like(upstream))
        assert_matches(of_X, expected, "the gradient of one of two uses")


@pytest.mark.cooperative
@given(shape=matrices, dtype=dtypes)
def test_input_is_not_modified(hw, shape, dtype):
    """X is left as it was."""
    X = entries(*shape, dtype=dtype)
    expected = maximum_with_zero(X)
    with unchanged(X=X):
        assert_matches(hw.ReLU()(X), expected, "the result")


def test_is_a_module(hw):
    """A ReLU is a Module, so that a network can hold it among its layers, and has no parameters."""
    relu = hw.ReLU()
    assert isinstance(relu, Module), f"ReLU() should be a torch.nn.Module; it is {relu!r}"
    names = [name for name, _ in relu.named_parameters()]
    assert not names, f"ReLU() should have no parameters; it has {names}"
    X = entries(2, 3)
    assert_matches(relu(X), maximum_with_zero(X), "the result")
