"""Public checks of two_layer_nn.py. Here on your machine it uses your own Linear and ReLU."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

# Sizes; you are shown the first that goes wrong.
two, three = st.sampled_from([2, 3, 1, 4, 5]), st.sampled_from([3, 2, 1, 4, 5])


def test_parts_and_their_names(hw):
    """The network has linear1, relu and linear2, and their parameters under these names."""
    model = hw.TwoLayerNN(6, 5, 3)

    for part in ("linear1", "relu", "linear2"):
        assert hasattr(model, part), f"TwoLayerNN must have an attribute {part}."
    shapes = {name: tuple(parameter.shape) for name, parameter in model.state_dict().items()}
    wanted = {"linear1.weight": (6, 5), "linear1.bias": (5,), "linear2.weight": (5, 3), "linear2.bias": (3,)}
    assert shapes == wanted, f"TwoLayerNN(6, 5, 3) must have the parameters {wanted}, and no others; it has {shapes}."


@given(batch=two, in_dim=two, hidden_dim=three, out_dim=two)
def test_values_and_gradients(hw, batch, in_dim, hidden_dim, out_dim):
    """The output is that of linear2 after relu after linear1, and each parameter gets its gradient."""
    X = torch.randn(batch, in_dim, dtype=torch.float64).round(decimals=1)
    W1 = torch.randn(in_dim, hidden_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    b1 = torch.randn(hidden_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    W2 = torch.randn(hidden_dim, out_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    b2 = torch.randn(out_dim, dtype=torch.float64).round(decimals=1).requires_grad_()
    upstream = torch.randn(batch, out_dim, dtype=torch.float64).round(decimals=1)
    wanted = (X @ W1 + b1).clamp(min=0) @ W2 + b2
    wanted_gradients = torch.autograd.grad(wanted, (W1, b1, W2, b2), upstream)

    model = hw.TwoLayerNN(in_dim, hidden_dim, out_dim).double()
    shapes = {name: tuple(parameter.shape) for name, parameter in model.state_dict().items()}
    names = ("linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias")
    missing = [name for name, value in zip(names, (W1, b1, W2, b2), strict=True) if shapes.get(name) != value.shape]
    assert not missing, f"The network lacks {missing}, or their shape is not right: the parameters are {shapes}."
    model.linear1.weight.data.copy_(W1)
    model.linear1.bias.data.copy_(b1)  # zeros would hide a bias that is forgotten
    model.linear2.weight.data.copy_(W2)
    model.linear2.bias.data.copy_(b2)

    H = model(X)
    assert_close(H.detach(), wanted.detach(), msg=lambda m: f"The output must be linear2(relu(linear1(X))).\n{m}")
    assert H.requires_grad, "autograd cannot follow from the output back to the parameters: which step leaves PyTorch?"
    parameters = (model.linear1.weight, model.linear1.bias, model.linear2.weight, model.linear2.bias)
    gradients = torch.autograd.grad(H, parameters, upstream, allow_unused=True)
    for name, got, want in zip(names, gradients, wanted_gradients, strict=True):
        assert got is not None, f"{name} gets no gradient: autograd cannot follow from the output back to it."
        message = f"The gradient for {name} must be the one that linear2(relu(linear1(X))) has."
        assert_close(got, want, msg=lambda m, message=message: f"{message}\n{m}")


def test_initial_weights_of_the_second_layer(hw):
    """linear2 starts with init_factor=1.0: its weights have variance 1 / hidden_dim."""
    model = hw.TwoLayerNN(10, 400, 300)

    # 120,000 weights: the mean of their squares is within 5 % of the variance unless a 12-sigma event happens.
    square = model.linear2.weight.square().mean().item()
    message = (
        "The variance of linear2.weight in TwoLayerNN(10, 400, 300) must be about 1 / 400. "
        "Which init_factor does linear2 get?"
    )
    assert_close(square, 1 / 400, rtol=0.05, atol=0, msg=message)
