"""What is looked at to recognise a mistake in two_layer_nn.py.

First whether the network has its own parts, and uses them: where it does not, its output is as random as what it uses
instead, and nothing but whether it is right is looked at. Values are looked at with given parameters, a row first: one
mistake may treat many rows together or one by one.
"""

from functools import partial

import torch

NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
SIZES = 5, 20, 4
LARGE = 200, 150, 100
INITIAL = 0.12  # 7 standard deviations of what two draws of LARGE differ by; a mistake's factor is at least 1.4
SAME = 1e-4


def counts(model):
    """Return how many weights a network has, and whether there are biases for two layers."""
    dims = [p.dim() for p in model.parameters()]
    return [min(3, dims.count(2)), dims.count(1) >= 2]


def parameters_of(model):
    """Return W1, b1, W2, b2."""
    return [model.get_parameter(name) for name in NAMES]


def variance(weight):
    """Return the mean of the squares, times the number of inputs."""
    return weight.detach().double().square().mean() * len(weight)


def logits(X, W1, b1, W2, b2):
    """Return what the network should return."""
    return (X @ W1 + b1).clamp(min=0) @ W2 + b2


def is_right(found, X, values):
    """Return whether an output was found, and is right."""
    expected = logits(X, *values)
    return found is not None and found.shape == expected.shape and torch.allclose(found, expected, SAME, SAME)


def probe(hw, see):
    """Look at the parts, then at what is used of them, then at values, then at the rest."""
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def given(rows, in_dim, hidden_dim, out_dim, dtype=torch.float64):
        """Return inputs, W1, b1, W2 and b2."""
        shapes = (in_dim, hidden_dim), (hidden_dim,), (hidden_dim, out_dim), (out_dim,)
        return draw(rows, in_dim).to(dtype), [draw(*shape).to(dtype) for shape in shapes]

    def network(values):
        (in_dim, hidden_dim), (_, out_dim) = values[0].shape, values[2].shape
        model = hw.TwoLayerNN(in_dim, hidden_dim, out_dim).to(values[0].dtype)
        with torch.no_grad():
            for p, value in zip(parameters_of(model), values, strict=True):
                p.copy_(value)
        return model

    def output(X, values):
        return network(values)(X).detach()

    def output_is_right(X, values):
        return is_right(output(X, values), X, values)

    def gradients(X, values, upstream):
        """Return those for X, W1, b1, W2, b2 and whatever else there is."""
        X, model = X.clone().requires_grad_(), network(values)
        others = [p for name, p in model.named_parameters() if name not in NAMES]
        inputs = [X, *parameters_of(model), *others]
        Z = model(X)
        return torch.autograd.grad(Z, inputs, upstream, allow_unused=True) if Z.requires_grad else [None] * len(inputs)

    def new():
        return hw.TwoLayerNN(*SIZES)

    def has_names():
        return {name for name, _ in new().named_parameters()} >= set(NAMES)

    def counts_after_a_call(X):
        model = new()
        model(X)
        return counts(model)

    def calls_agree(X):
        model = new()
        return torch.equal(model(X), model(X))

    def same_weights(one, two):
        return [torch.equal(one.get_parameter(name), two.get_parameter(name)) for name in NAMES[::2]]

    def independent(one, two, X):
        before = two(X)
        with torch.no_grad():
            for p in parameters_of(one):
                p.fill_(1.0)
        return torch.equal(two(X), before)

    def reached(*args):
        found = [bool(gradient is not None and gradient.any()) for gradient in gradients(*args)]
        return [*found[:5], all(found[5:])]

    X, values = given(7, *SIZES)
    ordinary = [see("weights and biases", lambda: counts(new())) == [2, True]]
    if not ordinary[0]:  # else it is nobody's business what there is besides
        see("layers in a plain container", lambda: hw.support("kept").in_containers(new()))
        see("parameters of its own, in no layer", lambda: any("." not in name for name, _ in new().named_parameters()))
    ordinary += [see("two calls agree", lambda: calls_agree(X.float()))]
    see("weights and biases after a call", lambda: counts_after_a_call(X.float()))
    if not see("names of the parameters", has_names) or not see("attribute relu", lambda: hasattr(new(), "relu")):
        return

    see("shapes of the parameters", lambda: [list(p.shape) for p in parameters_of(new())])
    see("two networks start with the same weights", lambda: same_weights(new(), new()))
    if all(ordinary) and not see("two networks are independent", lambda: independent(new(), new(), X.float())):
        return

    upstream = draw(7, 4)
    used = see("what gets a gradient: X, W1, b1, W2, b2, others", lambda: reached(X, values, upstream))
    if not (all(ordinary) and used and used[1] and used[3]):
        W1, b1, W2, b2 = values
        none_hidden = W1, b1 - 1000, W2, b2
        see("output is right", lambda: output_is_right(X, values))
        see("output for inputs of 0 is right", lambda: output_is_right(0 * X, values))
        see("output for hidden values of 0 is right", lambda: output_is_right(X, none_hidden))
        return

    def see_output(rows, *sizes, dtype=torch.float64):
        X, values = given(rows, *sizes, dtype)
        found = see(f"output, rows: {rows}, sizes: {sizes}", lambda: output(X, values), tolerance=SAME)
        return is_right(found, X, values)

    def later_call(X, other):
        model = network(values)
        model(X)
        return is_right(model(other), other, values)

    if not all([see_output(1, 3, 4, 2), see_output(1, 2, 2, 2), see_output(1, 2, 5, 3)]):
        return
    if not all([see_output(5, 3, 4, 2), see_output(3, 3, 3, 3), see_output(4, 2, 5, 3, dtype=torch.float32)]):
        return

    (X3, values3), upstream3 = given(5, 3, 4, 2), draw(5, 2)
    for i, name in enumerate(["X", *NAMES]):
        see(f"gradient for {name}", partial(lambda i: gradients(X3, values3, upstream3)[i], i), tolerance=SAME)
    other = draw(7, 5)
    see("a later call, for other inputs, is right", lambda: later_call(X, other))
    large = see("a large network", lambda: hw.TwoLayerNN(*LARGE))
    see("variance of linear1.weight, times in_dim / 2", lambda: variance(large.linear1.weight) / 2, tolerance=INITIAL)
    see("variance of linear2.weight, times hidden_dim", lambda: variance(large.linear2.weight), tolerance=INITIAL)
