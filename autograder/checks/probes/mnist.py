"""What is looked at to recognise a mistake that only MNIST shows, in any of the student's parts.

Both networks, at the sizes of MNIST: the weights that they start with, and their logits for given weights. Linear and
ReLU alone are looked at too, since their mistakes are not the networks'.
"""

from functools import partial
from math import sqrt

import torch

SIZES = 784, 100, 10
SAME = 1e-4
INITIAL = 0.4  # 6 standard deviations of what two draws of the 1000 weights of the second layer differ by


def kind(found, expected):
    """Return how an output differs from the right one; in size only, perhaps."""
    factor = ((found * expected).sum() / expected.square().sum()).item()
    if not (found - factor * expected).norm() <= SAME * found.norm():
        return "wrong"
    return "right" if abs(factor - 1) <= SAME else "larger" if factor > 1 else "smaller"


def variance(weight, init_factor):
    """Return the mean of the squares of a weight, as a part of what it should be."""
    return weight.detach().square().mean().item() * len(weight) / init_factor


def probe(hw, see):
    """Look at Linear and ReLU, then at TwoLayerNN, then at Sequential."""
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0))
    in_dim, hidden_dim, out_dim = SIZES
    X = draw(3, in_dim)
    W1, b1 = sqrt(2 / in_dim) * draw(in_dim, hidden_dim), 0.1 * draw(hidden_dim)
    W2, b2 = sqrt(1 / hidden_dim) * draw(hidden_dim, out_dim), 0.1 * draw(out_dim)
    hidden = X @ W1 + b1
    logits = hidden.clamp(min=0) @ W2 + b2

    def layers():
        return hw.Linear(in_dim, hidden_dim), hw.ReLU(), hw.Linear(hidden_dim, out_dim, init_factor=1.0)

    def two_layer_nn():
        model = hw.TwoLayerNN(*SIZES)
        return model, model.linear1, model.linear2

    def sequential():
        first, relu, last = layers()
        return hw.Sequential(first, relu, last), first, last

    def output(X, model, *linears):
        with torch.no_grad():
            for layer, W, b in zip(linears, (W1, W2), (b1, b2), strict=False):
                layer.weight.copy_(W)
                layer.bias.copy_(b)
        return model(X.clone()).detach()

    def see_weights(name, first, last):
        see(f"first weights of {name}", lambda: variance(first.weight, 2.0), tolerance=INITIAL)
        see(f"last weights of {name}", lambda: variance(last.weight, 1.0), tolerance=INITIAL)

    def see_network(name, build):
        model, *linears = see(name, build) or [None] * 3
        see_weights(name, *linears)
        see(f"logits of {name}", lambda: kind(output(X, model, *linears), logits))

    first, relu, last = see("layers", layers) or [None] * 3
    see_weights("Linear", first, last)
    see("output of Linear", lambda: kind(output(X, first, first), hidden))
    see("output of ReLU", lambda: kind(relu(hidden.clone()).detach(), hidden.clamp(min=0)))
    see_network("TwoLayerNN", two_layer_nn)
    see_network("Sequential", sequential)
