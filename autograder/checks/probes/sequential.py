"""What is looked at to recognise a mistake in sequential.py.

Layers are affine functions, so that a value tells which of them were applied, and in which order. A wrong value at the
first call explains whatever else is wrong, which is then left out.
"""

import torch
from torch.nn import Module, ModuleList

NUMBERS = {"a": (2.0, 1.0), "b": (-3.0, 0.5), "c": (0.5, 4.0), "d": (1.5, -2.0)}
RELU = "+"
X = torch.tensor([[1.25, -0.5, 0.75], [-2.0, 0.25, -0.875]], dtype=torch.float64)
UPSTREAM = torch.tensor([[1.0, -2.0, 0.5], [3.0, -0.25, 1.5]], dtype=torch.float64)
SAME = 1e-4


def applied(X, names):
    """Return what the layers of these names make of X."""
    for name in names:
        scale, shift = NUMBERS.get(name, (1.0, 0.0))
        X = X.clamp(min=0) if name == RELU else scale * X + shift
    return X


def is_right(found, expected):
    """Return whether an output was found, and is right."""
    same_form = found is not None and (found.shape, found.dtype) == (expected.shape, expected.dtype)
    return same_form and torch.allclose(found, expected, SAME, SAME)


def probe(hw, see):
    """Look at values, then at the layers that are kept, at gradients, other inputs, other uses, and calls."""
    recording = hw.support("recording")
    layers = {name: recording.Affine(*numbers) for name, numbers in NUMBERS.items()} | {RELU: hw.ReLU()}

    def network(names):
        return hw.Sequential(*(layers[name] for name in names))

    def output(X, names):
        found = network(names)(X.clone())
        return None if found is None else found.detach()

    def see_output(names):
        found = see(f"output of the layers {names}", lambda: output(X, names), tolerance=SAME)
        return is_right(found, applied(X, names))

    def as_if_alone(found):
        one = network("a")
        network("b")
        return torch.equal(one(X.clone()), found)

    alone = see("output of a layer", lambda: output(X, "a"), tolerance=SAME)
    if see("output of a layer, after another network was built, is the same", lambda: as_if_alone(alone)) is False:
        return
    see("output without layers", lambda: output(X, ""), tolerance=SAME)
    see("a network of two layers is built", lambda: isinstance(network("ab"), Module))
    if not all([see_output("ab"), see_output("abc"), see_output("a+b"), is_right(alone, applied(X, "a"))]):
        return

    def kept(model):
        found = getattr(model, "layers", None)
        return list(found) if isinstance(found, ModuleList) else None

    def kept_as_given(names):
        found = kept(network(names))
        return found and [one.scale is layers[name].scale for one, name in zip(found, names, strict=True)]

    def names_of_parameters():
        return sorted(network("abc").state_dict())

    def gradients(names):
        inputs = [X.clone().requires_grad_(), *(layers[name].scale for name in names)]
        Z = network(names)(inputs[0])
        return torch.autograd.grad(Z, inputs, UPSTREAM, allow_unused=True) if Z.requires_grad else [None] * len(inputs)

    def see_gradient(i, what):
        return see(f"gradient for {what}", lambda: gradients("abc")[i], tolerance=SAME) is not None

    in_list = see("layers kept in a ModuleList", lambda: kept(network("abc")) is not None)
    as_given = see("layers kept are those that were given", lambda: kept_as_given("abc"))
    see("names are right", lambda: names_of_parameters() == [f"layers.{i}.scale" for i in range(3)])
    see("dots in each name", lambda: [name.count(".") for name in names_of_parameters()])
    if not in_list:
        return
    reached = [see_gradient(i, what) for i, what in enumerate(["X", "the first layer", "the second", "the last"])]
    if not (as_given and all(as_given) and all(reached)):
        return

    def shape_is_right(entries):
        try:
            return is_right(output(entries, "ab"), applied(entries, "ab"))
        except Exception:  # the same mistake may raise, or return another shape
            return False

    def after_a_call(look):
        model = network("abc")
        model(X.clone())
        return look(model)

    def nested():
        return hw.Sequential(layers["a"], network("bc"), layers["d"])(X.clone()).detach()

    see("output for inputs of no dimension is right", lambda: shape_is_right(X[0, 0]))
    see("output for inputs of one dimension is right", lambda: shape_is_right(X[0]))
    see("output for inputs of three dimensions", lambda: output(X.reshape(2, 1, 3), "ab"), tolerance=SAME)
    see("output in single precision is right", lambda: is_right(output(X.float(), "ab"), applied(X.float(), "ab")))
    see("output of a layer given twice", lambda: output(X, "aba"), tolerance=SAME)
    see("output of a nested network", nested, tolerance=SAME)
    see(
        "output of a second call, for other inputs",
        lambda: after_a_call(lambda model: model(-X).detach()),
        tolerance=SAME,
    )
    see("number of layers after a call", lambda: after_a_call(lambda model: len(model.layers)))

    def recorded(calls):
        log = recording.Log()
        model = hw.Sequential(*(recording.Affine(*NUMBERS[name], name, log) for name in "abc"))
        for _ in range(calls):
            model(X.clone())
        return [log.read().count(name) for name in "abc"]

    def calls_of_a_call():
        return [with_call - without for with_call, without in zip(recorded(1), recorded(0), strict=True)]

    see("building a network calls layers", lambda: any(recorded(0)))
    see("how often a call calls each layer", calls_of_a_call)
