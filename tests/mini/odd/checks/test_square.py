"""Checks that go wrong themselves, or that meet trouble in an odd way."""

import contextlib

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st


def test_uses_what_came(hw):
    """What comes back is used without a look at it."""
    assert hw.square(torch.ones(2)).sum() == 2


def test_has_a_mistake(hw):
    """The check's own code is wrong."""
    assert hw.square(torch.ones(2)).sum() == no_such_name  # noqa: F821 - what this check is for


def test_hands_over_a_lambda(hw):
    """A function of the check's own cannot cross."""
    hw.square(lambda: 0)


def test_lacks_support_code(hw):
    """The support code is not there."""
    hw.support("no_such_file")


def test_lacks_a_fixture(hw, no_such_fixture):
    """The fixture is not there."""


def test_lacks_a_threshold(hw, calibration):
    """The quantity was never measured."""
    calibration.at_least("speed", 1.0)


def test_asks_for_an_unknown_name(hw):
    """No question provides the name."""
    hw.cube(2)


@given(number=st.integers())
def test_finds_no_example(hw, number):
    """No example fits what is assumed."""
    assume(False)


def test_skips(hw):
    """Here, this cannot be judged."""
    pytest.skip("not here")


def test_expects_an_exception(hw):
    """There is no square of a text."""
    with pytest.raises(ValueError, match="no square"):
        hw.square("text")


def test_forgives_exceptions(hw):
    """Every ordinary exception is forgiven."""
    with contextlib.suppress(Exception):
        hw.square(torch.ones(2))


@given(number=st.integers())
def test_forgives_exceptions_of_examples(hw, number):
    """Every ordinary exception is forgiven, for each example."""
    with contextlib.suppress(Exception):
        hw.square(torch.ones(2))


def test_gradient(hw):
    """gradcheck finds the gradient to be right."""
    x = torch.ones(2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(hw.square, (x,))
