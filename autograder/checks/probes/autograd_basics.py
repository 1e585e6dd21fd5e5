"""What is looked at to recognise a mistake in autograd_basics.py.

Gradients are looked at coarsely, so that all finite differences look alike; dtypes and last digits are looked at apart.
A is made anew for each call, and has the same entries whenever it has the same shape: that calls follow others makes a
difference only where that is looked at.
"""

import torch

FUNCTIONS = {
    "weighted sum": (2, 3),
    "sum of squares": (3, 2),
    "weighted sines": (2, 4),
    "square of a sum": (4, 2),
    "log-sum-exp": (3, 4),
    "squared distance": (4, 3),
    "only the last entry": (2, 5),
}
SHAPES = ((), (5,), (1, 3), (4, 1), (2, 1, 3), (2, 0))
DTYPES = {torch.float64: ((5, 2), 1e-12), torch.float32: ((2, 6), 1e-5)}  # a shape, how exact a gradient is
COARSE = 1e-2


def numbers(first, *shape):
    """Return fixed numbers between -2 and 2, other ones for another `first`."""
    return 2 * torch.arange(first, first + torch.Size(shape).numel(), dtype=torch.float64).sin().reshape(shape)


def copy(A):
    """Return a copy that lies in memory as A does, with the same gaps."""
    return torch.empty_strided(A.shape, A.stride(), dtype=A.dtype).copy_(A)


def close(one, other, tolerance=COARSE):
    """Return whether both are None, or tensors of one shape with close entries."""
    if not (isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)):
        return one is None and other is None
    return one.shape == other.shape and torch.allclose(one.double(), other.double(), tolerance, tolerance)


def which(found, **candidates):
    """Return the name of the first candidate that is close to what was found."""
    return next((name for name, candidate in candidates.items() if close(found, candidate)), "another")


def probe(hw, see):
    """Look at gradients of several functions at all kinds of A, in one call and in two, and at A afterwards."""
    make = hw.support("functions").make

    def gradient(f, A, W):
        return hw.gradient_of(make(f, W), A)

    def see_gradient(name, f, A, W, requires_grad=False):
        def look():
            first, second = (gradient(f, copy(A).requires_grad_(requires_grad), W) for _ in range(2))
            return first.double() if close(first, second) else "another in each call"

        see(name, look, tolerance=COARSE)

    def see_digits(dtype, shape, tolerance):
        # The values of f have so many digits before the point that their differences have few behind it.
        A, W = numbers(1, *shape).to(dtype), 1e4 * numbers(51, *shape).to(dtype)
        see(f"dtype of the gradient, {dtype}", lambda: str(gradient("squared distance", A.clone(), W).dtype))
        see(f"last digits, {dtype}", lambda: close(gradient("squared distance", A.clone(), W), A - W, tolerance))

    for f, shape in FUNCTIONS.items():
        see_gradient(f, f, numbers(1, *shape), numbers(51, *shape))
    for shape in SHAPES:
        see_gradient(f"shape {shape}", "weighted sines", numbers(1, *shape), numbers(51, *shape))
    A, W = numbers(1, 3, 3), numbers(51, 3, 3)
    see_gradient("A requires a gradient", "weighted sines", A, W, requires_grad=True)
    see_gradient("another tensor requires a gradient", "weighted sines", A, W.requires_grad_())
    see_gradient("A with gaps in memory", "weighted sines", numbers(1, 5, 8)[:, :4], numbers(51, 5, 4))
    for dtype, (shape, tolerance) in DTYPES.items():
        see_digits(dtype, shape, tolerance)

    see_second_call(hw, see, make)
    for requires_grad in (False, True):
        see_A_afterwards(see, gradient, requires_grad)


def see_second_call(hw, see, make):
    """Look at the second of two gradients: at the same A, at another, at another of another f."""
    A, W = numbers(1, 3, 5), numbers(51, 3, 5)
    B, C, D, E = numbers(1, 5, 3), numbers(21, 5, 3), numbers(1, 6, 2), numbers(21, 6, 2)

    def second(*calls):
        return [hw.gradient_of(f, X.clone()) for f, X in calls][-1]

    def at_the_same(f, A):
        hw.gradient_of(f, A)
        return which(hw.gradient_of(f, A), right=W, doubled=2 * W)

    def at_another(f):
        return which(second((f, B), (f, C)), right=2 * C, at_the_first_A=2 * B)

    def of_another(f, g):
        return which(second((f, D), (g, E)), right=E, at_the_first_A=D, of_the_first_f=2 * D)

    see("second call, same A", lambda: at_the_same(make("weighted sum", W), A.clone()))
    see("second call, same A, requires_grad", lambda: at_the_same(make("weighted sum", W), A.clone().requires_grad_()))
    see("second call, another A", lambda: at_another(make("sum of squares", B)))
    see("second call, another A and f", lambda: of_another(make("sum of squares", D), make("squared distance", 0 * D)))


def see_A_afterwards(see, gradient, requires_grad):
    """Look at what becomes of A, and at whether its earlier `.grad` enters the result."""
    start, W, earlier = numbers(1, 3, 5), numbers(51, 3, 5), numbers(81, 3, 5)
    candidates = {"none": None, "earlier": earlier, "gradient": W, "added": earlier + W}

    def call(f="weighted sum", grad=None):
        A = start.clone().requires_grad_(requires_grad)
        A.grad = None if grad is None else grad.clone()
        return gradient(f, A, W), A

    def change():
        # The gradient is W * cos(A): who scales A instead of taking a step goes another way.
        change = call("weighted sines")[1].detach() - start
        if not change.any():
            return "none"
        cosine = torch.cosine_similarity(change.flatten(), (W * start.cos()).flatten(), 0)
        return "along the gradient" if cosine.abs() > 1 - 1e-6 else "another"

    before = f"A.requires_grad {requires_grad}"
    see(f"requires_grad afterwards, {before}", lambda: call()[1].requires_grad)
    see(f"change of A, {before}", change)
    see(f"A.grad afterwards, {before}", lambda: which(call()[1].grad, **candidates))
    see(f"A.grad afterwards, {before}, A.grad there", lambda: which(call(grad=earlier)[1].grad, **candidates))
    see(f"result, {before}, A.grad there", lambda: which(call(grad=earlier)[0], **candidates))
