"""Public checks of linear.py."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Parameter
from torch.testing import assert_close

# Sizes; you are shown the first that goes wrong.
two, three = st.sampled_from([2, 3, 1, 4, 5]), st.sampled_from([3, 2, 1, 4, 5])
leading = st.sampled_from([(2,), (), (1,), (2, 3), (2, 1, 3)])


def test_parameters(hw):
    """weight is a Parameter (in_dim, out_dim) and bias a Parameter (out_dim) that starts at zero."""
    layer = hw.Linear(5, 3)

    shapes = {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}
    assert shapes == {"weight": (5, 3), "bias": (3,)}, (
        "The parameters of Linear(5, 3) must be a weight of shape (5, 3) and a bias of shape (3,); "
        f"there are {shapes}. Is each of them a Parameter, kept in self?"
    )
    assert_close(layer.bias.detach(), torch.zeros(3), msg=lambda m: f"The bias must start as zeros.\n{m}")


def test_without_bias(hw):
    """With bias=False, bias is None and the output is X @ weight."""
    X = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.0, 0.5]])
    weight = torch.tensor([[1.0, -1.0], [2.0, 0.5], [0.0, 3.0]])
    wanted = X @ weight

    layer = hw.Linear(3, 2, bias=False)

    assert layer.bias is None, f"Linear(3, 2, bias=False).bias must be None; it is {layer.bias}."
    shapes = {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}
    assert shapes == {"weight": (3, 2)}, (
        f"Linear(3, 2, bias=False) must have one parameter, a weight of shape (3, 2); there are {shapes}."
    )
    assert layer.weight.dtype == X.dtype, f"The weight must be of dtype {X.dtype}; it is of {layer.weight.dtype}."
    layer.weight.data.copy_(weight)
    Z = layer(X)
    assert_close(Z.detach(), wanted, msg=lambda m: f"The output must be X @ weight.\n{m}")


@given(leading=leading, in_dim=three, out_dim=two)
def test_values_and_gradients(hw, leading, in_dim, out_dim):
    """For X of shape (..., in_dim), the output is X @ weight + bias, and its gradients are right."""
    X = torch.randn(*leading, in_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    weight = torch.randn(in_dim, out_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    bias = torch.randn(out_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    upstream = torch.randn(*leading, out_dim, dtype=torch.float64).round(decimals=1)
    wanted = X @ weight + bias
    wanted_gradients = torch.autograd.grad(wanted, (X, weight, bias), upstream)

    layer = hw.Linear(in_dim, out_dim).double()
    for name, shape in (("weight", (in_dim, out_dim)), ("bias", (out_dim,))):
        value = getattr(layer, name)
        assert isinstance(value, Parameter), f"{name} must be a Parameter; it is {value!r}."
        assert value.shape == shape, f"{name} must be of shape {shape}; it is of shape {tuple(value.shape)}."
        assert value.isfinite().all(), f"{name} must start with numbers; there is nan or inf in it."
    layer.weight.data.copy_(weight)
    layer.bias.data.copy_(bias)  # zeros would hide a bias that is forgotten

    Z = layer(X)
    assert_close(Z.detach(), wanted.detach(), msg=lambda m: f"The output must be X @ weight + bias.\n{m}")
    assert Z.requires_grad, "autograd cannot follow from the output back to X: which step leaves PyTorch?"
    gradients = torch.autograd.grad(Z, (X, layer.weight, layer.bias), upstream, allow_unused=True)
    for name, got, want in zip(("X", "weight", "bias"), gradients, wanted_gradients, strict=True):
        assert got is not None, f"{name} gets no gradient: autograd cannot follow from the output back to it."
        message = f"The gradient for {name} must be the one that X @ weight + bias has."
        assert_close(got, want, msg=lambda m, message=message: f"{message}\n{m}")


def test_initial_weights(hw):
    """The weights start with mean 0 and variance init_factor / in_dim; init_factor is 2.0 if not given."""
    layer = hw.Linear(400, 300)
    another = hw.Linear(400, 300, init_factor=1.0)

    # 120,000 weights: the mean is within 2 % of the standard deviation unless a 6-sigma event happens, the mean of
    # the squares within 5 % of the variance unless a 12-sigma event happens.
    mean, square = layer.weight.mean().item(), layer.weight.square().mean().item()
    assert_close(mean, 0.0, rtol=0, atol=0.02 * (2 / 400) ** 0.5, msg="The mean of the weights must be about 0.")
    message = "By default, the variance of the weights of Linear(400, 300) must be about 2 / 400."
    assert_close(square, 2 / 400, rtol=0.05, atol=0, msg=message)
    mean, square = another.weight.mean().item(), another.weight.square().mean().item()
    assert_close(mean, 0.0, rtol=0, atol=0.02 * (1 / 400) ** 0.5, msg="The mean of the weights must be about 0.")
    message = "With init_factor=1.0, the variance of the weights of Linear(400, 300) must be about 1 / 400."
    assert_close(square, 1 / 400, rtol=0.05, atol=0, msg=message)
