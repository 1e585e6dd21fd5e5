"""Checks as they are often written: they run beside the others where tests and student code share a process."""

import torch


def test_difference(hw):
    """A difference that is not larger than allowed; NaN is not larger than anything."""
    x = torch.tensor([3.0, 4.0])
    assert not (hw.square(x) - x * x).abs().max() > 1e-6


def test_expected_afterwards(hw):
    """What is expected, computed from an input that may have been modified."""
    x = torch.tensor([3.0, 4.0])
    came = hw.square(x)
    assert torch.equal(came, x * x)


def test_equality(hw):
    """An equality that the result itself decides."""
    assert hw.square(torch.tensor(3.0)) == 9.0


def test_close_to_infinity(hw):
    """A relative error, measured by the result."""
    came, expected = hw.square(torch.tensor([3.0])), torch.tensor([9.0])
    assert ((came - expected).abs() <= 1e-5 * came.abs()).all()


def test_broadcast(hw):
    """Every entry, however many came."""
    x = torch.tensor([3.0, 4.0])
    assert all(abs(a - b) < 1e-6 for a, b in zip(hw.square(x).reshape(-1), x * x, strict=False))


def test_once(hw):
    """One call, the first."""
    assert hw.square(torch.tensor([5.0])).tolist() == [25.0]


def test_gradient_of_itself(hw):
    """A gradient check without values: a function that is 0 passes."""
    assert torch.autograd.gradcheck(hw.square, (torch.ones(2, dtype=torch.double, requires_grad=True),))


def test_public_label(hw):
    """Data that everybody can know by heart."""
    assert hw.square(torch.tensor([1.0, 2.0, 3.0])).tolist() == [1.0, 4.0, 9.0]


def test_allclose(hw):
    """Closeness, of shapes that broadcast."""
    x = torch.tensor([3.0, 4.0])
    assert torch.allclose(hw.square(x), x * x)


def test_its_own_dtype(hw):
    """What is expected, in the dtype that came."""
    came, expected = hw.square(torch.tensor([3.0, 4.0])), torch.tensor([9.0, 16.0])
    assert torch.equal(came, expected.to(came.dtype))


def test_slope(hw):
    """A gradient without values, for an upstream gradient of ones."""
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    hw.square(x).sum().backward()
    assert torch.equal(x.grad, 2 * x)
