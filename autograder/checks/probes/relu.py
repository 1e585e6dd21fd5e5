"""What is looked at to recognise a mistake in relu.py.

All entries but the thirds are exact in any precision, so that digits are lost only where that is looked at. Results
are looked at as double, so that a wrong dtype is seen only where the dtype is looked at.
"""

import torch
from torch.nn import Module

ENTRIES = torch.tensor([[-0.75, 0.25, 0.875], [0.5, -0.125, -0.625]], dtype=torch.float64)
UPSTREAM = torch.tensor([[1.5, -2.0, 0.5], [3.0, -0.25, 1.25]], dtype=torch.float64)
ZEROS = torch.tensor([[0.0, -0.0, 0.5], [-0.5, 0.0, -0.0]], dtype=torch.float64)
SHAPES = ((), (4,), (2, 2), (2, 1, 3), (1, 3, 1, 2), (0, 3))
TOLERANCES = {torch.float64: None, torch.float32: 1e-4, torch.float16: 1e-2}  # numpy knows no bfloat16


def first(entries, shape):
    """Return the first entries, in another shape; the very first is negative, and comes last."""
    return entries.flatten().roll(-1)[: torch.Size(shape).numel()].reshape(shape)


def has_double_digits(Z):
    """Return whether some entry would be another one in single precision."""
    return not torch.equal(Z.double(), Z.float().double())


def probe(hw, see):
    """Look at values and gradients: entries of all sizes and 0, all shapes and dtypes; then at the object itself."""
    relu = see("ReLU()", lambda: hw.ReLU())

    def result(X):
        return relu(X.clone()).detach()

    def gradient(X, upstream, between=lambda X: None):
        X = X.clone().requires_grad_()
        Z = relu(X)
        between(X)
        return torch.autograd.grad(Z, X, upstream)[0].double() if Z.requires_grad else None

    def see_both(name, X, upstream, scaled=lambda Z: Z):
        see(f"result, {name}", lambda: scaled(result(X).double()))
        see(f"gradient, {name}", lambda: gradient(X, upstream))

    def see_dtype(name, X):
        see(f"result, {name}", lambda: result(X).double(), tolerance=TOLERANCES[X.dtype])
        see(f"dtype of the result, {name}", lambda: str(result(X).dtype))

    def outside_of_slopes():
        factors = gradient(ZEROS, torch.ones_like(ZEROS))[ZEROS == 0]
        return factors - factors.clamp(-1, 1)  # -1 is a slope of the absolute value, which is a mistake of its own

    def all_one_number(X):
        positive = result(X)[X > 0]
        return bool(positive.isfinite().all()) and len(positive.unique()) == 1

    def after_call(X):
        relu(X)
        return X

    see_both("entries around 0.001", ENTRIES / 1024, UPSTREAM, scaled=lambda Z: Z * 1024)
    see_both("entries around 1", ENTRIES, UPSTREAM)
    # Relative to the largest: where a mistake caps them does not matter.
    see_both("entries around 100", ENTRIES * 128, UPSTREAM, scaled=lambda Z: Z / Z.max())
    see("entries in the thousands become one number", lambda: all_one_number(ENTRIES * 8192))
    see("result at 0", lambda: result(ZEROS).double())
    see("gradient at 0, how far outside of [-1, 1]", outside_of_slopes)

    for shape in SHAPES:
        see_both(f"shape {shape}", first(ENTRIES, shape), first(UPSTREAM, shape))
    see_both("transposed", ENTRIES.T, UPSTREAM.T)
    for dtype in TOLERANCES:
        see_dtype(str(dtype), ENTRIES.to(dtype))
    see_dtype("a single number in torch.float32", ENTRIES[0, 1].float())
    see("gradient, torch.float32", lambda: gradient(ENTRIES.float(), UPSTREAM.float()), tolerance=1e-4)
    see("double digits in the result", lambda: has_double_digits(result(ENTRIES / 3)))
    see("double digits in the gradient", lambda: has_double_digits(gradient(ENTRIES, UPSTREAM / 3)))

    see("gradient of the first of two uses", lambda: gradient(ENTRIES, UPSTREAM, between=lambda X: relu(-X)))
    see("X after the call", lambda: after_call(ENTRIES.clone()))
    see("is a Module", lambda: isinstance(relu, Module))
    see("number of parameters", lambda: len(list(relu.parameters())))
