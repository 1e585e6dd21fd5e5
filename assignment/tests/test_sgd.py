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
    p = parameter([1.0, 2.0], grad=[10.0, -20.0])
    hw.SGD([p], lr=0.1).step()
    message = "A step with lr=0.1 must lead from [1, 2] to [1, 2] - 0.1 * [10, -20]."
    assert_close(p.data, torch.tensor([0.0, 4.0]), msg=lambda m: f"{message}\n{m}")
    assert p.is_leaf and p.requires_grad, "After step(), p must still be a leaf that requires grad."

    q = parameter([1.0, 2.0], grad=[10.0, -20.0])
    hw.SGD([q]).step()
    message = "A step without lr, which is 1.0 then, must lead from [1, 2] to [1, 2] - [10, -20]."
    assert_close(q.data, torch.tensor([-9.0, 22.0]), msg=lambda m: f"{message}\n{m}")


@given(count=st.integers(1, 4), steps=st.integers(1, 3), lr=st.sampled_from([0.5, 0.1, 1.0, 2.0, 0.01]))
def test_several_steps_with_a_generator(hw, count, steps, lr):
    """params may be a generator, as model.parameters() is, and step() may be called many times."""
    values = [torch.randn(n + 1, 2, dtype=torch.float64).round(decimals=1) for n in range(count)]
    grads = [torch.randn(n + 1, 2, dtype=torch.float64).round(decimals=1) for n in range(count)]
    params = [Parameter(value.clone()) for value in values]

    opt = hw.SGD((p for p in params), lr=lr)
    for _ in range(steps):
        for p, grad in zip(params, grads, strict=True):
            p.grad = grad.clone()
        opt.step()

    for i, (moved, value, grad) in enumerate(zip(params, values, grads, strict=True)):
        message = f"After {steps} step(s) with lr={lr}, params[{i}] must have moved by -{steps} * lr * grads[{i}]."
        wanted = value - steps * lr * grad
        assert_close(moved.data, wanted, rtol=0, atol=1e-12, msg=lambda m, message=message: f"{message}\n{m}")


def test_parameter_without_gradient(hw):
    """step() leaves a parameter whose .grad is None alone, and goes on with the others."""
    unused = parameter([1.0], grad=None)
    used = parameter([1.0], grad=[0.5])

    hw.SGD([unused, used], lr=1.0).step()

    message = "The parameter without a gradient must stay as it is."
    assert_close(unused.data, torch.tensor([1.0]), rtol=0, atol=0, msg=lambda m: f"{message}\n{m}")
    message = "The parameter with the gradient 0.5 must go from 1 to 0.5."
    assert_close(used.data, torch.tensor([0.5]), rtol=0, atol=0, msg=lambda m: f"{message}\n{m}")


def test_zero_grad(hw):
    """After zero_grad(), each .grad is zero or None, and the parameters are as they were."""
    used = parameter([1.0, 2.0], grad=[10.0, -20.0])
    unused = parameter([3.0], grad=None)

    hw.SGD(p for p in (used, unused)).zero_grad()

    for p in (used, unused):
        if p.grad is not None:
            assert_close(
                p.grad, torch.zeros_like(p), msg=lambda m: f"After zero_grad(), each .grad must be zero or None.\n{m}"
            )
    message = "zero_grad() must leave the parameters themselves alone."
    assert_close(used.data, torch.tensor([1.0, 2.0]), rtol=0, atol=0, msg=lambda m: f"{message}\n{m}")
    assert_close(unused.data, torch.tensor([3.0]), rtol=0, atol=0, msg=lambda m: f"{message}\n{m}")
