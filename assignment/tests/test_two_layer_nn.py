"""Public checks of two_layer_nn.py. Here on your machine it uses your own Linear and ReLU."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

sizes = st.integers(1, 5)


def test_parts_and_their_names(hw):
    """The network has linear1, relu and linear2, and their parameters under these names."""
    model = hw.TwoLayerNN(6, 5, 3)

    for part in ("linear1", "relu", "linear2"):
        assert hasattr(model, part), f"TwoLayerNN must have an attribute {part}"
    shapes = {name: tuple(parameter.shape) for name, parameter in model.state_dict().items()}
    wanted = {"linear1.weight": (6, 5), "linear1.bias": (5,), "linear2.weight": (5, 3), "linear2.bias": (3,)}
    missing = {name: shape for name, shape in wanted.items() if shapes.get(name) != shape}
    assert not missing, f"TwoLayerNN(6, 5, 3) must have the parameters {wanted}; it has {shapes}"
    assert len(list(model.parameters())) == 4, "TwoLayerNN must have no parameters but those of linear1 and linear2"


@given(batch=sizes, in_dim=sizes, hidden_dim=sizes, out_dim=sizes)
def test_values_and_gradients(hw, batch, in_dim, hidden_dim, out_dim):
    """The output is that of linear2 after relu after linear1, and each parameter gets its gradient."""
    model = hw.TwoLayerNN(in_dim, hidden_dim, out_dim).double()
    for parameter in model.parameters():
        parameter.data.normal_()  # zeros would hide a bias that is forgotten
    names = ("linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias")
    missing = sorted(set(names) - set(model.state_dict()))
    assert not missing, f"TwoLayerNN must have the parameters {names}; it lacks {missing}"
    parameters = {name: model.get_parameter(name) for name in names}
    W1, b1, W2, b2 = copies = [parameters[name].detach().clone().requires_grad_() for name in names]
    X = torch.randn(batch, in_dim, dtype=torch.float64)
    upstream = torch.randn(batch, out_dim, dtype=torch.float64)
    wanted = (X @ W1 + b1).clamp(min=0) @ W2 + b2
    wanted_gradients = torch.autograd.grad(wanted, copies, upstream)

    H = model(X)
    message = f"linear2(relu(linear1(X))) is {wanted.detach()}; the output is {H.detach()}."
    assert_close(H.detach(), wanted.detach(), msg=lambda m: f"{message}\n{m}")
    assert H.requires_grad, "autograd cannot follow from the output back to the parameters"
    gradients = torch.autograd.grad(H, [parameters[name] for name in names], upstream, allow_unused=True)
    for name, got, want in zip(names, gradients, wanted_gradients, strict=True):
        assert got is not None, f"{name} gets no gradient: the output does not depend on it"
        message = f"The gradient for {name} must be {want}; it is {got}."
        assert_close(got, want, msg=lambda m, message=message: f"{message}\n{m}")


def test_initial_weights_of_the_second_layer(hw):
    """linear2 starts with init_factor=1.0: its weights have variance 1 / hidden_dim."""
    weight = hw.TwoLayerNN(10, 400, 300).linear2.weight.detach()

    # 120,000 weights: within 5 % unless a 12-sigma event happens.
    mean_square = weight.square().mean().item()
    assert abs(mean_square * 400 - 1) <= 0.05, (
        f"TwoLayerNN(10, 400, 300): the variance of linear2.weight must be about 1 / 400 = 0.0025; "
        f"it is {mean_square:.5f}. Which init_factor does linear2 get?"
    )
