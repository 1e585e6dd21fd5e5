"""Hidden checks of square.py: values, random values, gradients, labels, and many calls."""

import torch
from hypothesis import given
from hypothesis import strategies as st

SECRET = "CANARY_CHECKS"
numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=20)


def test_value(hw):
    """The square of 3 is 9."""
    expected = torch.tensor([9.0])
    torch.testing.assert_close(hw.square(torch.tensor([3.0])), expected)


@given(numbers=numbers)
def test_values(hw, reference, numbers):
    """Every entry is squared."""
    x = torch.tensor(numbers)
    expected = reference.square(x)
    came = hw.square(x)
    assert torch.equal(came, expected), f"the squares of {numbers} are {expected}; {came} came"


def test_gradient(hw):
    """The gradient is 2x."""
    x = torch.randn(3, dtype=torch.double, requires_grad=True)
    expected = (x * x).detach()
    torch.testing.assert_close(hw.square(x).detach(), expected)
    assert torch.autograd.gradcheck(hw.square, (x,))


def test_labels(hw, homework):
    """The labels, which are kept with the checks, come out."""
    first, *rows = homework.path("checks/labels.txt").read_text(encoding="utf-8").split()
    secret = first
    x, y = (torch.tensor([float(row.split(",")[i]) for row in rows]) for i in (0, 1))
    torch.testing.assert_close(hw.square(x), y, msg=f"not as in the labels of {len(secret)} characters")


def test_many_calls(hw):
    """Whatever was squared before does not count."""
    for number in range(20):
        x = torch.full((7,), float(number))
        expected = x * x
        assert torch.equal(hw.square(x), expected)
