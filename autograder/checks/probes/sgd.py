"""What is looked at to recognise a mistake in sgd.py.

Where a mistake has a number of its own (a momentum, a decay, a bound), it is told by words and not by values. All
numbers but the thirds are exact in single precision, so that lost digits show in one place only.
"""

import math

import torch
from torch.nn import Parameter


def numbers(*shape, start=0, dtype=torch.float64):
    """Return small numbers other than 0; another `start` gives others."""
    count = torch.arange(start, start + math.prod(shape)).reshape(shape)
    return ((14 * count) % 22 - 11).to(dtype) / 64


def parameter(*shape, start=0, dtype=torch.float64):
    """Return a Parameter of zeros, which weight decay leaves alone, with a gradient too small to be clipped."""
    p = Parameter(torch.zeros(shape, dtype=dtype))
    p.grad = numbers(*shape, start=start, dtype=dtype)
    return p


def three(missing=()):
    """Return three such Parameters of different shapes, where `missing` says without a gradient."""
    params = [parameter(2, 3), parameter(2, 2, start=1), parameter(3, start=2)]
    for i in missing:
        params[i].grad = None
    return params


def near(found, wanted):
    """Return whether what came is as it should be, up to rounding in double precision."""
    alike = found.dtype == wanted.dtype and found.shape == wanted.shape
    return alike and torch.allclose(found.detach(), wanted, rtol=1e-12, atol=1e-12)


def way(found, wanted):
    """Return in words how what came compares with what should have come."""
    factor = ((found * wanted).sum() / wanted.square().sum()).item()
    if not near(found, factor * wanted):
        return "elsewhere"
    if abs(factor - 1) < 1e-9:
        return "right"
    return "backwards" if factor < 0 else "too far" if factor > 1 else "too little" if factor > 0 else "not at all"


def gradients(params):
    """Return copies of the gradients."""
    return [None if p.grad is None else p.grad.clone() for p in params]


def states(params, before):
    """Return in words what became of each gradient: None is as good as zeros."""
    return [state(p, grad) for p, grad in zip(params, before, strict=True)]


def state(p, before):
    """Return in words what became of a gradient: None is as good as zeros."""
    if p.grad is None or not p.grad.any():
        return "cleared"
    return "as before" if before is not None and p.grad.isclose(before, 0, 0, equal_nan=True).all() else "changed"


def probe(hw, see):
    """Look at single steps and at zero_grad; if steps are right, at which parameters they change, and how often."""

    def step(params, *rate, **lr):
        hw.SGD(params, *rate, **lr).step()
        return [p.detach() for p in params]

    def from_values(p):
        before, p.grad = p.detach().clone(), numbers(2, 3)
        return way(step([p], lr=0.5)[0] - before, -0.5 * p.grad)

    def is_right(name, shape, lr, look):
        moved = see(name, lambda: look(parameter(*shape)))
        return isinstance(moved, torch.Tensor) and near(moved, -lr * numbers(*shape))

    def untracked(p):
        with torch.no_grad():
            return step([p], lr=0.5)[0]

    right = is_right("a step with lr=0.5", (2, 3), 0.5, lambda p: step([p], lr=0.5)[0])
    right &= is_right("a step with lr 2", (3, 3), 2, lambda p: step([p], 2)[0])
    see("a step from other values", lambda: from_values(Parameter(numbers(2, 3, start=7))))
    see("the rate is 1 by default", lambda: near(step([parameter(2, 3)])[0], -numbers(2, 3)))
    see("a step where autograd is off", lambda: untracked(parameter(2, 3)))
    look_at_clearing(hw, see)
    if right:  # else what follows shows the same mistake again, and how it is written
        look_at_values(see, step)
        look_at_missing_gradients(see, step)
        look_at_second_steps(hw, see)
        look_at_owners(hw, see)


def look_at_clearing(hw, see):
    """Look at gradients after zero_grad, whatever they were before, and at values."""

    def cleared(params):
        before = gradients(params)
        hw.SGD(params, lr=0.5).zero_grad()
        return states(params, before)

    def special(value):
        p = parameter(3)
        p.grad[1] = value
        return p

    def after_a_step():
        p, grad = parameter(2, 3), numbers(2, 3, start=5)
        opt = hw.SGD([p], lr=0.5)
        opt.step()
        p.grad = grad.clone()
        opt.zero_grad()
        return state(p, grad)

    def values():
        p = Parameter(numbers(2, 3))
        p.grad = numbers(2, 3, start=5)
        hw.SGD([p], lr=0.5).zero_grad()
        return [p, p.requires_grad]

    see("gradients after zero_grad", lambda: cleared([*three(), parameter()]))
    see("zero_grad where there is no gradient", lambda: cleared(three([0, 1, 2])))
    see("zero_grad where one gradient is missing", lambda: cleared(three([1])))
    see("gradients of inf and nan after zero_grad", lambda: cleared([special(torch.inf), special(torch.nan)]))
    see("new gradients after a step and zero_grad", after_a_step)
    see("values after zero_grad", values)


def look_at_values(see, step):
    """Look at single steps of several shapes, dtypes and magnitudes."""

    def digits():
        p = parameter(2, 3)
        p.grad /= 3
        return near(step([p], lr=0.5)[0], -0.5 * numbers(2, 3) / 3)

    def large():
        p = parameter(1)
        p.grad[0] = 1e4
        return way(step([p], lr=0.5)[0], torch.tensor([-5e3], dtype=torch.float64))

    def from_elsewhere():
        start, grad = 10 * numbers(2, 3), numbers(2, 3, start=5)
        grad[0] = 0
        p = Parameter(start.clone())
        p.grad = grad.clone()
        still, moved = step([p], lr=0.5)[0]
        return [way(still, start[0]), near(moved, start[1] - 0.5 * grad[1])]

    see("a step of several parameters", lambda: step(three(), lr=0.5))
    see("a step of a parameter without dimensions", lambda: step([parameter()], lr=0.5))
    see("a step in single precision", lambda: step([parameter(2, 3, dtype=torch.float32)], lr=0.5))
    see("all digits in double precision", digits)
    see("a step with a large gradient", large)
    see("a step from values other than 0, and where the gradient is 0", from_elsewhere)


def look_at_missing_gradients(see, step):
    """Look at whom a step changes where a gradient is missing, and whether it is missing still."""

    def missing_after():
        params = three([1])
        step(params, lr=0.5)
        return params[1].grad is None

    for name, missing in {"the first": [0], "the second": [1], "the last": [2], "any": [0, 1, 2]}.items():
        see(f"a step without a gradient of {name}", lambda m=missing: step(three(m), lr=0.5))
    see("a missing gradient after a step", missing_after)


def look_at_second_steps(hw, see):
    """Look at what a step leaves behind: in gradients, in later steps, and with autograd."""
    first, second = numbers(4), numbers(4, start=4)
    first[2:], second[:2] = 0, 0

    def moved(*grads):
        p = parameter(4)
        opt, before = hw.SGD([p], lr=0.5), None
        for grad in grads:
            p.grad = grad.clone() if grad is not None else p.grad
            before = p.detach().clone()
            opt.step()
        return p.detach() - before

    def of_another():
        last = moved(first, second)
        return [way(last, -0.5 * second), (last * first).sum().sign().item()]

    def left():
        params = three()
        before = gradients(params)
        hw.SGD(params, lr=0.5).step()
        return states(params, before)

    def autograd():
        p = parameter(2, 3)
        return list(hw.support("storage").step_and_look(hw.SGD([p], lr=0.5), p).values())

    see("gradients after a step", left)
    see("a second step with another gradient", of_another)
    see("a second step with the same gradient", lambda: near(moved(first, None), -0.5 * first))
    see("autograd after a step", autograd)


def look_at_owners(hw, see):
    """Look at whose parameters an optimizer changes: those of a generator, or those of another optimizer."""

    def from_generator(*calls):
        params = three()
        opt = hw.SGD((p for p in params), lr=0.5)
        for call in calls:
            for p in params:
                p.grad = numbers(*p.shape)
            getattr(opt, call)()
        return params

    def two(owner, call):
        params = [parameter(2, 3), parameter(2, 2)]
        opts, before = [hw.SGD([params[0]], lr=0.5), hw.SGD([params[1]], lr=0.25)], gradients(params)
        getattr(opts[owner], call)()
        return params if call == "step" else states(params, before)

    see("a generator, one step", lambda: from_generator("step"))
    see("a generator, a second step", lambda: near(from_generator("step", "step")[0], -numbers(2, 3)))
    see("a generator, zero_grad and a step", lambda: from_generator("zero_grad", "step"))
    for owner, name in enumerate(("first", "second")):
        for call in ("step", "zero_grad"):
            see(f"two optimizers, {call} of the {name}", lambda owner=owner, call=call: two(owner, call))
