"""Public checks of sequential.py."""

import torch
from torch.nn import ModuleList
from torch.testing import assert_close


def test_order(hw):
    """Layers are applied in the order in which they are given: double, then add 1."""
    layers = hw.support("layers")
    X = torch.tensor([[1.0, -3.0]])
    wanted = 2 * X + 1

    Z = hw.Sequential(layers.Affine(factor=2.0), layers.Affine(added=1.0))(X)

    assert isinstance(Z, torch.Tensor), f"The output must be a tensor; it is {Z!r}."
    assert_close(Z, wanted, msg=lambda m: f"The output must be 2 * X + 1.\n{m}")


def test_parameters(hw):
    """The layers are in self.layers, a ModuleList, so that the parameters of all of them are found."""
    layers = hw.support("layers")

    model = hw.Sequential(layers.linear(4, 3), layers.Affine(), layers.linear(3, 2))

    message = "self.layers must be a ModuleList: the parameters of layers in a list or a tuple are not found."
    assert isinstance(model.layers, ModuleList), message
    names = [name for name, _ in model.named_parameters()]
    wanted = ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    assert names == wanted, f"The names of the model's parameters must be {wanted}; they are {names}."


def test_no_layers(hw):
    """Without layers, the output is the input."""
    X = torch.tensor([[1.0, 2.0], [-3.0, 0.5]])
    wanted = X.clone()

    Z = hw.Sequential()(X)

    assert isinstance(Z, torch.Tensor), f"The output must be X; it is {Z!r}."
    assert_close(Z, wanted, msg=lambda m: f"Without layers, the output must be X.\n{m}")
