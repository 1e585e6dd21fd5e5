"""What is looked at to recognise a mistake in linear.py.

Values and gradients are those of layers that were filled with fixed numbers; of the weights as they were drawn, only
statistics. All numbers but the thirds, and their products, are exact in single precision, so that digits are lost only
where that is looked at; results are looked at as double, so that a wrong dtype is seen only where that is looked at.
"""

import math

import torch
from torch.nn import Module

CASES = {  # shape of X, and out_dim
    "a square matrix": ((3, 3), 3),
    "a single row": ((3,), 2),
    "3 dimensions": ((2, 4, 3), 2),
    "4 dimensions": ((2, 1, 2, 3), 5),
    "no rows": ((0, 3), 2),
}
SPREADS = {  # arguments, and variance
    "out_dim > in_dim": ((50, 200), {}, 2 / 50),
    "in_dim > out_dim": ((200, 50), {}, 2 / 200),
    "init_factor = 9": ((20, 500), {"init_factor": 9.0}, 9 / 20),
    "init_factor = 0.5, no bias": ((50, 200, False, 0.5), {}, 0.5 / 50),
}


def numbers(*shape, start=0):
    """Return numbers of both signs between -1.5 and 1.5, all different if there are at most 23."""
    places = torch.arange(start, start + torch.Size(shape).numel(), dtype=torch.float64)
    return ((7 * places % 23 - 11) / 8).reshape(shape)


def gradients(layer, X, upstream):
    """Return the gradients for X, weight and bias (flat), None for those that get none."""
    X = X.clone().requires_grad_()
    Z, inputs = layer(X), {"X": X, **dict(layer.named_parameters())}
    learning = {name: tensor for name, tensor in inputs.items() if tensor.requires_grad}
    found = torch.autograd.grad(Z, list(learning.values()), upstream, allow_unused=True) if Z.requires_grad else ()
    of = dict(zip(learning, found, strict=False))
    return [of.get("X"), of.get("weight"), of["bias"].flatten() if of.get("bias") is not None else None]


def has_double_digits(Z):
    """Return whether some entry would be another one in single precision."""
    return None if Z is None else not torch.equal(Z.double(), Z.float().double())


def spread(weight, variance):
    """Return the logarithm of the standard deviation over the right one; None if rows repeat: too few numbers."""
    if len(weight) > 1 and torch.equal(weight[0], weight[1]):
        return None
    return (weight.std() / math.sqrt(variance)).log().item()


def kurtosis(weight):
    """Return the fourth moment in units of the standard deviation: 3 of a normal distribution."""
    return ((weight - weight.mean()) / weight.std()).pow(4).mean().item()


def probe(hw, see):
    """Look at a new layer, at values and gradients for all shapes, at side effects, at digits, and at the weights."""

    def filled(in_dim, out_dim, bias=True, scale=1.0):
        layer = hw.Linear(in_dim, out_dim, bias=bias).double()
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(scale * numbers(*parameter.shape, start=parameter.numel()))
        return layer

    def see_case(name, X, out_dim, bias=True):
        layer = see(f"layer, {name}", lambda: filled(X.shape[-1], out_dim, bias))
        see(f"result, {name}", lambda: layer(X.clone()).detach().double())
        upstream = numbers(*X.shape[:-1], out_dim, start=3)
        if X.dim() > 1:  # code that changes a single row in place fails for one that requires a gradient
            see(f"gradients for X, weight and bias, {name}", lambda: gradients(layer, X, upstream))
        return layer

    def see_parameter(name):
        see(f"{name} is a parameter", lambda: name in parameters)
        see(f"{name} requires a gradient", lambda: parameters[name].requires_grad)

    def see_spread(name, args, kwargs, variance):
        see(f"spread of the weights, {name}", lambda: spread(drawn(*args, **kwargs), variance), tolerance=0.1)

    def after_call(layer, X):
        layer(X)
        return X

    def changes(layer, name):
        before = getattr(layer, name).detach().clone()
        layer(numbers(2, 3))
        return not torch.equal(getattr(layer, name).detach(), before)

    def gradients_for_zero_bias(layer):
        with torch.no_grad():
            layer.bias.zero_()
        return gradients(layer, numbers(2, 3), numbers(2, 4))

    def digits():
        layer, X, upstream = filled(3, 4, bias=False, scale=1 / 3), numbers(2, 3) / 3, numbers(2, 4) / 3
        of_X, of_weight, _ = gradients(layer, X, upstream)
        return [has_double_digits(Z) for Z in (layer(X), of_X, of_weight)]

    def drawn(*args, **kwargs):
        return hw.Linear(*args, **kwargs).weight.detach().double()

    new = see("new layer", lambda: hw.Linear(3, 4))
    parameters = see("parameters", lambda: dict(new.named_parameters())) or {}
    see("is a Module", lambda: isinstance(new, Module))
    see("number of parameters", lambda: len(parameters))
    see_parameter("weight")
    see_parameter("bias")
    see("shape of weight", lambda: list(new.weight.shape))
    see("dtype of weight", lambda: str(new.weight.dtype))
    see("numbers in bias", lambda: new.bias.numel())
    see("bias has more than one dimension", lambda: new.bias.dim() > 1)
    see("bias starts as zeros", lambda: not new.bias.any())
    see("bias starts as one number", lambda: len(new.bias.unique()) == 1)

    for name, (shape, out_dim) in CASES.items():
        see_case(name, numbers(*shape), out_dim)
    see_case("transposed", numbers(3, 4, 2).permute(2, 1, 0), 2)
    layer = see_case("bias=False", numbers(2, 3), 4, bias=False)
    see("bias is None, bias=False", lambda: layer.bias is None)
    see("number of parameters, bias=False", lambda: len(list(layer.parameters())))

    layer = see_case("a matrix", numbers(2, 3), 4)
    see("X after the call, a matrix", lambda: after_call(layer, numbers(2, 3)))
    see("X after the call, a single row", lambda: after_call(layer, numbers(3)))
    see("a call changes weight", lambda: changes(layer, "weight"))
    see("a call changes bias", lambda: changes(layer, "bias"))
    see("gradients for X, weight and a bias of zeros", lambda: gradients_for_zero_bias(layer))
    see("dtype of the result, double", lambda: str(layer(numbers(2, 3)).dtype))
    see("dtype of the result, new layer", lambda: str(new(numbers(2, 3).float()).dtype))
    see("double digits in the result and the gradients for X and weight", digits)

    # The tolerances are more than nine standard deviations. For n normal weights, that of the logarithm of their spread
    # is about 1 / sqrt(2 n), here 0.007; of their mean, relative to the spread, 1 / sqrt(n), here 0.003; of their
    # kurtosis sqrt(24 / n), here 0.015. In a single row, weights differ also if rows repeat.
    for name, (args, kwargs, variance) in SPREADS.items():
        see_spread(name, args, kwargs, variance)
    many = see("many weights", lambda: drawn(1, 100_000).flatten())
    see("spread of the weights, in_dim = 1", lambda: spread(many[None], 2), tolerance=0.1)
    see("mean of the weights is 0", lambda: bool(many.mean().abs() < 0.03 * many.std()))
    see("kurtosis of the weights", lambda: kurtosis(many), tolerance=0.1)
    see("weights are often as large as the largest", lambda: int((many == many.max()).sum()) > 10)
    see("the weight of Linear(1, 1) is finite", lambda: bool(drawn(1, 1).isfinite().all()))
    see("two layers start the same", lambda: torch.equal(drawn(3, 4), drawn(3, 4)))
    see("all rows start the same", lambda: len(new.weight.unique(dim=0)) == 1)
