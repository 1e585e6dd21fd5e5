"""Public checks of linear.py."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Parameter
from torch.testing import assert_close

sizes = st.integers(1, 5)


def test_parameters(hw):
    """weight is a Parameter (in_dim, out_dim) and bias a Parameter (out_dim) that starts at zero."""
    layer = hw.Linear(5, 3)

    shapes = {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}
    assert shapes == {"weight": (5, 3), "bias": (3,)}, (
        "Linear(5, 3).named_parameters() must be a weight of shape (5, 3) and a bias of shape (3,); "
        f"there are {shapes}. Is each of them a Parameter, kept in self?"
    )
    assert_close(layer.bias.detach(), torch.zeros(3), msg=lambda m: f"The bias must start as zeros.\n{m}")


def test_without_bias(hw):
    """With bias=False, bias is None and the output is X @ weight."""
    layer, X = hw.Linear(5, 3, bias=False), torch.randn(2, 5)

    assert layer.bias is None, f"Linear(5, 3, bias=False).bias must be None; it is {layer.bias}"
    names = [name for name, _ in layer.named_parameters()]
    assert names == ["weight"], f"Linear(5, 3, bias=False) must have one parameter, weight; it has {names}"
    weight = layer.weight.detach()
    assert weight.shape == (5, 3), f"weight must be of shape (5, 3); its shape is {tuple(weight.shape)}"
    assert_close(layer(X).detach(), X @ weight, msg=lambda m: f"The output must be X @ weight.\n{m}")


@given(leading=st.lists(sizes, max_size=3), in_dim=sizes, out_dim=sizes)
def test_values_and_gradients(hw, leading, in_dim, out_dim):
    """For X of shape (..., in_dim), the output is X @ weight + bias, and its gradients are right."""
    layer = hw.Linear(in_dim, out_dim).double()
    for name, shape in (("weight", (in_dim, out_dim)), ("bias", (out_dim,))):
        value = getattr(layer, name)
        assert isinstance(value, Parameter), f"{name} must be a Parameter; it is {value!r}"
        assert value.shape == shape, f"{name} must be of shape {shape}; its shape is {tuple(value.shape)}"
    layer.bias.data.normal_()  # zeros would hide a bias that is forgotten
    X = torch.randn(*leading, in_dim, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(*leading, out_dim, dtype=torch.float64)
    weight, bias = (p.detach().clone().requires_grad_() for p in (layer.weight, layer.bias))
    wanted = X @ weight + bias
    wanted_gradients = torch.autograd.grad(wanted, (X, weight, bias), upstream)

    Z = layer(X)
    message = f"For X = {X.detach()}, X @ weight + bias is {wanted.detach()}; the output is {Z.detach()}."
    assert_close(Z.detach(), wanted.detach(), msg=lambda m: f"{message}\n{m}")
    assert Z.requires_grad, "autograd cannot follow from the output back to X: which step leaves PyTorch?"
    gradients = torch.autograd.grad(Z, (X, layer.weight, layer.bias), upstream)
    for name, got, want in zip(("X", "weight", "bias"), gradients, wanted_gradients, strict=True):
        message = f"The gradient for {name} must be {want}; it is {got}."
        assert_close(got, want, msg=lambda m, message=message: f"{message}\n{m}")


def test_initial_weights(hw):
    """The weights start with mean 0 and variance init_factor / in_dim; init_factor is 2.0 if not given."""
    # 120,000 weights: their mean square is within 5 % of the variance unless a 12-sigma event happens.
    for layer, init_factor in [(hw.Linear(400, 300), 2.0), (hw.Linear(400, 300, init_factor=1.0), 1.0)]:
        weight, variance = layer.weight.detach(), init_factor / 400
        mean, mean_square = weight.mean().item(), weight.square().mean().item()
        assert abs(mean) <= 0.05 * variance**0.5, f"The mean of the weights must be about 0; it is {mean:.4f}"
        assert abs(mean_square / variance - 1) <= 0.05, (
            f"Linear(400, 300) with init_factor={init_factor}: the variance of the weights must be about "
            f"{init_factor} / 400 = {variance:.5f}; it is {mean_square:.5f}"
        )
