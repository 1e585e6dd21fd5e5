"""What is looked at to recognise a mistake in matmul.py.

Where shapes do not fit, both X and Y require a gradient: with one of them, it would depend on how a mistake is written
whether the wrong gradient is computed at all.
"""

import torch

SIZES = ((2, 3, 4), (1, 3, 2), (3, 1, 2), (3, 2, 1), (3, 3, 2), (2, 3, 3), (2, 3, 2), (3, 3, 3))
LARGE = 1e9  # a number of order 1 that is added to it is lost in single precision, and hardly changed in double


def numbers(first, *shape):
    """Return fixed numbers between -1 and 1, other ones for another `first`."""
    return torch.arange(first, first + torch.Size(shape).numel(), dtype=torch.float64).sin().reshape(shape)


def operands(m, n, p):
    """Return X, Y and an upstream gradient."""
    return numbers(1, m, n), numbers(31, n, p), numbers(61, m, p)


def probe(hw, see):
    """Look at products and gradients of all sizes, then at special cases."""

    def gradients(X, Y, upstream, *, needed="XY"):
        X, Y = X.clone().requires_grad_("X" in needed), Y.clone().requires_grad_("Y" in needed)
        inputs = [t for t in (X, Y) if t.requires_grad]
        return torch.autograd.grad(hw.MatMul.apply(X, Y), inputs, upstream, allow_unused=True)

    def see_gradients(name, X, Y, upstream, tolerance=None):
        see(f"gradient for X, {name}", lambda: gradients(X, Y, upstream)[0], tolerance=tolerance)
        see(f"gradient for Y, {name}", lambda: gradients(X, Y, upstream)[1], tolerance=tolerance)

    def see_all(name, X, Y, upstream, tolerance=None):
        see(f"product, {name}", lambda: hw.MatMul.apply(X.clone(), Y.clone()), tolerance=tolerance)
        see_gradients(name, X, Y, upstream, tolerance)

    for sizes in SIZES:
        see_all(f"{sizes}", *operands(*sizes))
    X, Y, upstream = operands(3, 4, 2)
    see_gradients("an upstream gradient of hundreds", X, Y, 300 * upstream)
    see_all("float32", X.float(), Y.float(), upstream.float())
    # Y is left as it is: who reshapes it where it should be transposed may or may not do so by `view`.
    see_all("transposed in memory", numbers(1, 4, 3).T, Y, numbers(61, 2, 3).T)
    signs = torch.tensor([LARGE, -LARGE], dtype=torch.float64)
    see_gradients(
        "large entries that cancel",
        numbers(1, 2, 3) + signs[:, None],
        numbers(31, 3, 2) + signs,
        torch.full((2, 2), 0.5, dtype=torch.float64),
        tolerance=1e-4,
    )

    see_special_cases(see, gradients, lambda *of: hw.support("kept").grads_written(hw.MatMul.apply, *of))
    see_several_products(hw, see)


def see_special_cases(see, gradients, grads_written):
    """Look at what is left in the inputs, at gradients where only one input needs it, and where there are no rows."""
    square = operands(3, 3, 3)

    def shapes(found):
        return [None if gradient is None else list(gradient.shape) for gradient in found]

    see("X.grad and Y.grad are written to", lambda: grads_written(*square))
    see("gradient for X alone", lambda: gradients(*square, needed="X")[0])
    see("gradient for Y alone", lambda: gradients(*square, needed="Y")[0])
    see("shapes of gradients without rows", lambda: shapes(gradients(*operands(0, 2, 3))))


def see_several_products(hw, see):
    """Look at gradients where products come after one another, or one matrix is used twice."""
    X, Y, upstream = operands(3, 3, 3)

    def gradient_of_two(which, wanted):
        inputs = [t.clone().requires_grad_() for t in (X, Y, 2 * Y, X + Y)]
        products = hw.MatMul.apply(*inputs[:2]), hw.MatMul.apply(*inputs[2:])
        own = inputs[2 * which : 2 * which + 2]
        return torch.autograd.grad(products[which], own, upstream, allow_unused=True)[wanted]

    def gradient_of_power(exponent):
        factor = product = X.clone().requires_grad_()
        for _ in range(exponent - 1):
            product = hw.MatMul.apply(product, factor)
        return torch.autograd.grad(product, factor, upstream / 8, allow_unused=True)[0]

    see("gradient for X, first of two products", lambda: gradient_of_two(0, 0))
    see("gradient for Y, first of two products", lambda: gradient_of_two(0, 1))
    see("gradient for X, second of two products", lambda: gradient_of_two(1, 0))
    see("gradient for Y, second of two products", lambda: gradient_of_two(1, 1))
    see("gradient of X X", lambda: gradient_of_power(2))
    see("gradient of X X X", lambda: gradient_of_power(3))
