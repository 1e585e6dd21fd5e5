"""What is looked at to recognise a mistake in cross_entropy_loss.py.

In three steps, each only where nothing was wrong in the one before: who forgets the mean, and lets exp overflow too,
is to hear of the mean first. Whatever differs from way to way of making a mistake is left out, such as which number
is put in the place of nan.
"""

import math
from functools import partial

import torch
from torch.nn.functional import cross_entropy

SAME = 1e-4  # of losses of order 1: more than rounding makes, and a small number that is added inside a logarithm
SINGLE = "a tensor without dimensions"

# By name, labels, classes and dtype; two show the last class.
CASES = {
    "3x4": ([3, 0, 1], 4, torch.float64),
    "2x5": ([1, 3], 5, torch.float32),
    "4x4": ([2, 0, 2, 1], 4, torch.float64),
    "5x3": ([1, 0, 2, 2, 1], 3, torch.float32),
}

# Single precision has all digits of H, and no number between an H and H + STEP.
H_EXACT = torch.tensor([[1.5, -0.75, 0.5, 2.0], [-1.0, 1.25, 0.625, -0.5]], dtype=torch.float64)
STEP = 1e-9 * torch.tensor([3.0, 1.0, -2.0, 4.0], dtype=torch.float64)


def large_logits(level):
    """Return, by name, logits whose exponentials are infinite or 0 in single precision, and labels."""
    rows = {
        f"logits near {level}": ([[level, level - 10, level - 20]], [1]),
        f"logits near -{level}": ([[-level, -level - 10, -level - 20]], [1]),
        f"rows {level} apart": ([[1, 0, 2], [-level, 1 - level, 2 - level]], [1, 0]),
        f"label {level} below": ([[level, 0, 1]], [1]),
    }
    return {name: (torch.tensor(H).float(), torch.tensor(Y)) for name, (H, Y) in rows.items()}


def form(loss):
    """Return what a loss is, whatever its value."""
    if isinstance(loss, torch.Tensor):
        return f"{loss.numel()} in a tensor with dimensions" if loss.dim() else SINGLE
    return "a Python number" if isinstance(loss, int | float) else "something else"


def exact(H, Y, upstream=1):
    """Return the right loss and gradient."""
    H = H.detach().double().requires_grad_()
    loss = cross_entropy(H, Y)
    return loss.detach(), torch.autograd.grad(upstream * loss, H)[0]


def is_right(found, expected):
    """Return whether something was found, and is right."""
    return found is not None and torch.allclose(found.detach().double(), expected, SAME, SAME)


def probe(hw, see):
    """Look at values, then at gradients, then at large logits, other batches and the last digits."""
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def batch(name):
        Y, classes, dtype = CASES[name]
        return draw(len(Y), classes).to(dtype), torch.tensor(Y)

    def value(H, Y, loss=None):
        found = (loss or hw.CrossEntropyLoss())(H, Y)
        return torch.as_tensor(found).double().mean()  # its form is looked at elsewhere

    def gradient(H, Y, upstream=1):
        H = H.clone().requires_grad_()
        loss = value(H, Y)
        if not loss.requires_grad:
            return None
        (found,) = torch.autograd.grad(upstream * loss, H, allow_unused=True)
        return found if found is None or found.isfinite().all() else torch.full_like(found, math.nan)

    def sums_over_the_batch(H, Y):
        loss, sums, right = value(H, Y), H.logsumexp(0), H[torch.arange(len(Y)), Y]
        return any(is_right(loss, (wrong - right).mean()) for wrong in (sums, sums[Y]))

    def see_value(name, H, Y):
        loss = see(f"loss, {name}", lambda: value(H, Y), tolerance=SAME)
        return is_right(loss, exact(H, Y)[0])

    def see_form(name, H, Y):
        return see(f"form of the loss, {name}", lambda: form(hw.CrossEntropyLoss()(H, Y))) == SINGLE

    def see_gradient(name, H, Y, upstream):
        name = f"gradient, {name}, upstream {upstream}"
        found = see(name, lambda: gradient(H, Y, upstream), tolerance=SAME)
        return is_right(found, exact(H, Y, upstream)[1])

    def kind(H, Y):
        found, (expected, _) = value(H, Y), exact(H, Y)
        if (found - expected).abs() <= max(SAME, 1e-5 * H.abs().max()):
            return "right"
        return "finite, but wrong" if found.isfinite() else "not finite"

    def see_large(name, H, Y):
        see(f"loss, {name}", lambda: kind(H, Y))
        see(f"gradient, {name}", lambda: gradient(H, Y), tolerance=5e-3)

    batches = {name: batch(name) for name in CASES}
    if see("the sum of exponentials runs over the batch", lambda: sums_over_the_batch(*batches["4x4"])):
        return  # as many sums as labels: elsewhere, one way to write it raises, and another does not
    if not all([look(name, *of) for name, of in batches.items() for look in (see_form, see_value)]):
        return

    gradients = [("3x4", 1), ("3x4", -3), ("5x3", -3)]
    if not all([see_gradient(name, *batches[name], upstream) for name, upstream in gradients]):
        return

    for level in (300, 5000):
        for name, of in large_logits(level).items():
            see_large(name, *of)

    one, many = (draw(1, 4), torch.tensor([2])), (draw(3, 12), torch.tensor([11, 3, 10]))
    see("loss of one row", lambda: value(*one), tolerance=SAME)
    see("gradient of one row", lambda: gradient(*one), tolerance=SAME)
    see("loss of many classes", lambda: kind(*many))

    def outcome(H, Y, loss=None):
        try:
            return value(H, Y, loss)
        except Exception:  # which one does not matter
            return torch.tensor(math.nan).double()

    def as_with_a_new_object(batches):
        used = hw.CrossEntropyLoss()
        pairs = [(outcome(*of, used), outcome(*of)) for of in batches]
        return all(torch.allclose(one, other, equal_nan=True) for one, other in pairs)

    more = [*batches.values(), batch("3x4")]
    see("later batches have the same loss as with a new object", lambda: as_with_a_new_object(more))

    def change(look, Y):
        return (look(H_EXACT + STEP, Y) - look(H_EXACT.clone(), Y)) * 1e9

    see("last digits of the loss", lambda: change(value, torch.tensor([3, 0])), tolerance=1e-3)
    see("last digits of the gradient", lambda: change(gradient, torch.tensor([3, 0])), tolerance=1e-3)
