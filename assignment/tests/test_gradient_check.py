"""Public checks of gradient_check.py. Each wants a yes and a no, so that a constant answer passes none."""

SEE = "see tests/support/right_and_wrong.py"


def test_wrong_sign(hw):
    """A right gradient is accepted; a wrong sign in one of two inputs is noticed."""
    right_and_wrong = hw.support("right_and_wrong")

    right = hw.gradients_are_correct(right_and_wrong.Product.apply, (3, 2), (3, 2))
    wrong = hw.gradients_are_correct(right_and_wrong.ProductWithWrongSign.apply, (3, 2), (3, 2))

    assert right is True, f"Product has a right backward ({SEE}), so the answer must be True; it is {right!r}."
    assert wrong is False, (
        f"ProductWithWrongSign has a wrong backward ({SEE}), so the answer must be False; it is {wrong!r}."
    )


def test_missing_factor(hw):
    """A right gradient is accepted, at inputs of 1 to 3 dimensions; half of it is not."""
    right_and_wrong = hw.support("right_and_wrong")
    for shape in [(4,), (2, 3), (2, 1, 3)]:
        right = hw.gradients_are_correct(right_and_wrong.Square.apply, shape)
        wrong = hw.gradients_are_correct(right_and_wrong.SquareWithoutFactor.apply, shape)

        assert right is True, f"Square has a right backward ({SEE}), so the answer must be True; it is {right!r}."
        assert wrong is False, (
            f"SquareWithoutFactor has a wrong backward ({SEE}), so the answer must be False; it is {wrong!r}."
        )


def test_upstream_gradient(hw):
    """A matrix product is accepted; a backward that ignores the upstream gradient is not."""
    right_and_wrong = hw.support("right_and_wrong")

    right = hw.gradients_are_correct(right_and_wrong.matrix_product, (5, 4), (4, 3))
    wrong = hw.gradients_are_correct(right_and_wrong.SquareWithoutUpstream.apply, (3, 2))

    assert right is True, f"torch.matmul has a right backward, so the answer must be True; it is {right!r}."
    assert wrong is False, (
        f"SquareWithoutUpstream has a wrong backward ({SEE}), so the answer must be False; it is {wrong!r}."
    )


def test_backward_that_fails(hw):
    """A backward that raises or returns None gives False, not an error."""
    right_and_wrong = hw.support("right_and_wrong")

    right = hw.gradients_are_correct(right_and_wrong.Product.apply, (4,), (4,))
    missing = hw.gradients_are_correct(right_and_wrong.ProductWithNone.apply, (4,), (4,))
    raising = hw.gradients_are_correct(right_and_wrong.ProductThatRaises.apply, (4,), (4,))

    assert right is True, f"Product has a right backward ({SEE}), so the answer must be True; it is {right!r}."
    assert missing is False, (
        f"ProductWithNone returns None for a gradient ({SEE}), so the answer must be False; it is {missing!r}."
    )
    assert raising is False, (
        f"ProductThatRaises raises in backward ({SEE}), so the answer must be False; it is {raising!r}."
    )
