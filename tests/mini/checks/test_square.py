"""Hidden checks of square.py: one of each kind that there is."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=20)


@pytest.mark.points(3)
@given(numbers=numbers)
def test_values(hw, reference, numbers):
    """Every entry is squared."""
    x = torch.tensor(numbers)
    came, expected = hw.square(x).tolist(), reference.square(x).tolist()
    assert came == expected, f"the squares of {numbers} are {expected}; {came} came"


@given(numbers=numbers)
def test_many_calls(hw, numbers):
    """Whatever was squared before does not count."""
    for _ in range(10):
        came = hw.square(torch.tensor(numbers)).tolist()
        assert came == [n * n for n in numbers], f"the squares of {numbers} are not {came}"


@given(copied=st.booleans())
def test_random_numbers(hw, copied):
    """Random numbers are squared as well, the same ones in each example."""
    x = torch.randn(3).clone() if copied else torch.randn(3)
    torch.testing.assert_close(hw.square(x), x**2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@given(size=st.integers(0, 5))
def test_dtype(hw, dtype, size):
    """The dtype stays."""
    assert hw.square(torch.ones(size, dtype=dtype)).dtype == dtype


@pytest.mark.cooperative
def test_input_is_left_alone(hw):
    """The input is not changed."""
    x = torch.tensor([3.0])
    hw.square(x)
    assert x.item() == 3.0


@pytest.mark.visibility("secret")
def test_zero(hw):
    """The square of 0 is 0."""
    assert hw.square(torch.zeros(1)).item() == 0.0


@pytest.mark.points(2)
@pytest.mark.limits(cpu_seconds=1)
def test_gradient(hw):
    """The gradient is 2x, and comes soon."""
    x = torch.tensor([3.0], requires_grad=True)
    hw.square(x).sum().backward()
    assert x.grad is not None and x.grad.item() == 6.0
