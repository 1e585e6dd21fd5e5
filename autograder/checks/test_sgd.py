"""Hidden checks of the question sgd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Parameter

from .inputs import assert_matches, dtypes, gradients, randn, shapes

rates = st.sampled_from([0.01, 0.1, 0.5, 1.0, 2.5])
kinds = st.lists(st.tuples(shapes(), dtypes), min_size=1, max_size=4)


def parameters(*kinds):
    """Return a random Parameter with a random gradient for each pair of shape and dtype."""
    made = [Parameter(randn(*shape, dtype=dtype)) for shape, dtype in kinds]
    for p in made:
        p.grad = randn(*p.shape, dtype=p.dtype)
    return made


def three():
    """Return three Parameters of different shapes in double precision."""
    return parameters(((2, 3), torch.float64), ((3,), torch.float64), ((), torch.float64))


def values(params):
    """Return copies of the values."""
    return [p.detach().clone() for p in params]


def assert_values(params, expected, when):
    """Rounding: a few units in the last place of numbers of order 1 to 10."""
    for i, (p, value) in enumerate(zip(params, expected, strict=True)):
        tolerance = 1e-5 if value.dtype == torch.float32 else 1e-12
        assert_matches(p.detach(), value, f"parameter {i} {when}", tolerance)


@pytest.mark.points(2)
@given(kinds=kinds, lr=rates)
def test_exact_update(hw, kinds, lr):
    """A step turns each p into p - lr * p.grad, for parameters of any shape and dtype."""
    params = parameters(*kinds)
    expected = [p.detach() - lr * p.grad for p in params]
    hw.SGD(params, lr).step()
    assert_values(params, expected, f"after a step with lr={lr}")


@pytest.mark.points(2)
@given(steps=st.lists(st.booleans(), min_size=2, max_size=5), lr=rates)
def test_several_steps(hw, steps, lr):
    """Every step uses the gradients of now, only those, and leaves them; zero_grad or not in between."""
    params = three()
    opt = hw.SGD(params, lr=lr)
    for i, zero in enumerate(steps, 1):
        if zero:
            opt.zero_grad()
            for p in params:
                p.grad = randn(*p.shape, dtype=p.dtype)
        grads = [p.grad.clone() for p in params]
        expected = [p.detach() - lr * grad for p, grad in zip(params, grads, strict=True)]
        opt.step()
        assert_values(params, expected, f"after step {i}")
        for p, grad in zip(params, grads, strict=True):
            assert p.grad is not None, "step() took a gradient away; that is the task of zero_grad()"
            assert_matches(p.grad, grad, "the gradient after step()", 0)


def test_default_rate(hw):
    """The learning rate is 1.0 unless it is given, and can be given by position or as lr."""
    for given_rate, arguments, keywords in [(1.0, [], {}), (0.25, [0.25], {}), (0.25, [], {"lr": 0.25})]:
        params = three()
        expected = [p.detach() - given_rate * p.grad for p in params]
        hw.SGD(params, *arguments, **keywords).step()
        assert_values(params, expected, f"after a step of SGD(params, {arguments or keywords or ''})")


@given(kind=st.sampled_from(["generator", "tuple", "iterator", "dict values"]))
def test_any_iterable(hw, kind):
    """The params can be any iterable, also a generator, which can be gone through only once."""
    params = three()
    iterable = {
        "generator": (p for p in params),
        "tuple": tuple(params),
        "iterator": iter(params),
        "dict values": iter(dict(enumerate(params)).values()),
    }[kind]
    opt = hw.SGD(iterable, lr=0.5)
    for step in ("first", "second"):
        opt.zero_grad()
        for p in params:
            p.grad = randn(*p.shape, dtype=p.dtype)
        expected = [p.detach() - 0.5 * p.grad for p in params]
        opt.step()
        assert_values(params, expected, f"from a {kind}, after the {step} step")


@pytest.mark.points(2)
@given(missing=st.sets(st.integers(0, 2), min_size=1))
def test_missing_gradient(hw, missing):
    """A parameter whose .grad is None is left alone, and the others are updated all the same."""
    params = three()
    for i in missing:
        params[i].grad = None
    expected = [p.detach().clone() if p.grad is None else p.detach() - 0.5 * p.grad for p in params]
    hw.SGD(params, lr=0.5).step()
    assert_values(params, expected, f"where parameters {sorted(missing)} had no gradient")
    for i in missing:
        assert params[i].grad is None, f"parameter {i} had no gradient; after step() it has {params[i].grad}"


@pytest.mark.points(2)
def test_zero_grad(hw):
    """After zero_grad every gradient is zero or None, whatever it was, and the values are as before."""
    params = [*three(), *three()]
    params[1].grad = None
    params[3].grad.fill_(torch.inf)
    params[4].grad.fill_(torch.nan)
    before = values(params)
    opt = hw.SGD(params, lr=0.5)
    for call in ("first", "second"):
        opt.zero_grad()
        for i, p in enumerate(params):
            if p.grad is not None:
                assert_matches(p.grad, torch.zeros_like(p), f"gradient {i} after the {call} zero_grad()", 0)
    opt.step()
    assert_values(params, before, "after zero_grad() and step()")


def test_accumulation(hw):
    """Gradients add up from backward to backward until zero_grad, and start anew after it."""
    (p,) = params = parameters(((2, 3), torch.float64))
    opt = hw.SGD(params, lr=0.5)
    coefficients = [randn(2, 3) for _ in range(4)]
    opt.zero_grad()
    for uses in (coefficients[:2], coefficients[2:3], coefficients[1:]):
        expected = p.detach() - 0.5 * sum(uses)
        for coefficient in uses:
            (p * coefficient).sum().backward()
        opt.step()
        assert_values(params, [expected], f"after {len(uses)} backward since zero_grad()")
        opt.zero_grad()


def test_model_parameters(hw):
    """SGD(model.parameters()) changes the model itself: its parameters stay the same objects."""
    model = hw.Linear(4, 3).double()
    before = list(model.parameters())
    opt = hw.SGD(model.parameters(), lr=0.1)
    X = randn(5, 4)
    for step in ("first", "second", "third"):
        opt.zero_grad()
        output = model(X)
        grads = gradients(output, before, 2 * output.detach(), ["weight", "bias"])
        expected = [p.detach() - 0.1 * grad for p, grad in zip(before, grads, strict=True)]
        model(X).square().sum().backward()
        opt.step()
        assert_values(model.parameters(), expected, f"after the {step} step")
    for p, q in zip(before, model.parameters(), strict=True):
        assert p is q, "step() put a new parameter in the model; change the old one in place"


@pytest.mark.cooperative
def test_untracked(hw):
    """A step is not recorded by autograd, and leaves it switched on for what comes next."""
    params = three()
    opt = hw.SGD(params, lr=0.5)
    for p in params:
        seen = hw.support("storage").step_and_look(opt, p)
        assert seen["leaf"], "after step() a parameter is no longer a leaf: the update was recorded"
        assert seen["requires_grad"], "after step() a parameter no longer requires a gradient"
        assert seen["grad_enabled"] and seen["result_tracked"], "step() left autograd switched off"
        assert p.requires_grad, "after step() a parameter no longer requires a gradient"


def test_optimizers_are_independent(hw):
    """Two optimizers change each its own parameters, with its own learning rate."""
    ours, theirs = three(), three()
    one, two = hw.SGD(ours, lr=0.5), hw.SGD(theirs, lr=0.1)
    expected, before = [p.detach() - 0.5 * p.grad for p in ours], values(theirs)
    one.step()
    assert_values(ours, expected, "of the optimizer that made a step")
    assert_values(theirs, before, "of the optimizer that made no step")
    one.zero_grad()
    for p in theirs:
        assert p.grad is not None and p.grad.any(), "zero_grad() of one optimizer took those of another"
    expected, before = [p.detach() - 0.1 * p.grad for p in theirs], values(ours)
    for p in ours:
        p.grad = randn(*p.shape, dtype=p.dtype)
    two.step()
    assert_values(theirs, expected, "of the second optimizer")
    assert_values(ours, before, "of the first optimizer after a step of the second")
