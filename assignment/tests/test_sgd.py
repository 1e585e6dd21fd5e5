"""Public checks of sgd.py."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Parameter
from torch.testing import assert_close


def parameter(values, grad):
    """A Parameter with these values and this gradient (None: without)."""
    p = Parameter(torch.tensor(values))
    p.grad = None if grad is None else torch.tensor(grad)
    return p


def test_one_step(hw):
    """step() replaces each parameter p by p - lr * p.grad; lr is 1.0 if not given."""
    for lr, wanted in (({"lr": 0.1}, [0.0, 4.0]), ({}, [-9.0, 22.0])):
        p = parameter([1.0, 2.0], grad=[10.0, -20.0])
        hw.SGD([p], **lr).step()
        start = f"One step with {lr or 'the default lr'} from [1, 2] against the gradient [10, -20]"
        assert_close(p.data, torch.tensor(wanted), msg=f"{start} leads to {wanted}; p is {p.data.tolist()} now")
        assert p.is_leaf and p.requires_grad, "After step(), p must still be a leaf that requires grad"


@given(count=st.integers(1, 4), steps=st.integers(1, 3), lr=st.floats(0.01, 2.0))
def test_several_steps_with_a_generator(hw, count, steps, lr):
    """params may be a generator, as model.parameters() is, and step() may be called many times."""
    params = [Parameter(torch.randn(n + 1, 2, dtype=torch.float64)) for n in range(count)]
    grads = [torch.randn_like(p) for p in params]
    wanted = [p.data - steps * lr * grad for p, grad in zip(params, grads, strict=True)]

    opt = hw.SGD((p for p in params), lr=lr)
    for _ in range(steps):
        for p, grad in zip(params, grads, strict=True):
            p.grad = grad.clone()
        opt.step()

    for i, (p, want) in enumerate(zip(params, wanted, strict=True)):
        message = f"After {steps} step(s), params[{i}] must be {want}; it is {p.data}."
        assert_close(p.data, want, msg=lambda m, message=message: f"{message}\n{m}")


def test_parameter_without_gradient(hw):
    """step() leaves a parameter whose .grad is None alone, and goes on with the others."""
    unused, used = parameter([1.0], grad=None), parameter([1.0], grad=[0.5])

    hw.SGD([unused, used], lr=1.0).step()

    assert unused.item() == 1.0, f"The parameter 1.0 without a gradient must stay; it is {unused.item()} now"
    assert used.item() == 0.5, f"The parameter 1.0 with the gradient 0.5 must become 0.5; it is {used.item()}"


def test_zero_grad(hw):
    """After zero_grad(), each .grad is zero or None, and the parameters are as they were."""
    params = [parameter([1.0, 2.0], grad=[10.0, -20.0]), parameter([3.0], grad=None)]
    before = [p.detach().clone() for p in params]

    hw.SGD(p for p in params).zero_grad()

    for i, p in enumerate(params):
        assert p.grad is None or not p.grad.any(), f"After zero_grad(), params[{i}].grad is {p.grad}"
        assert torch.equal(p.data, before[i]), f"zero_grad() must not change params[{i}] itself; it is {p.data}"
