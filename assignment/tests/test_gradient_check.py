"""Public checks of gradient_check.py. Each wants a yes and a no, so that a constant answer passes none."""


def assert_accepts(hw, name, function, *shapes):
    """gradients_are_correct is True for a function whose backward is right."""
    answer = hw.gradients_are_correct(function, *shapes)
    assert isinstance(answer, bool), f"gradients_are_correct must return a bool; it returned {answer!r}"
    assert answer, f"The backward of {name} is right; gradients_are_correct says False for shapes {shapes}."


def assert_rejects(hw, name, function, *shapes):
    """gradients_are_correct is False for a function whose backward is wrong."""
    answer = hw.gradients_are_correct(function, *shapes)
    assert isinstance(answer, bool), f"gradients_are_correct must return a bool; it returned {answer!r}"
    assert not answer, (
        f"The backward of {name} is wrong; gradients_are_correct says True for shapes {shapes}. "
        f"See {name} in tests/support/right_and_wrong.py."
    )


def test_wrong_sign(hw):
    """A right gradient is accepted; a wrong sign in one of two inputs is noticed."""
    functions = hw.support("right_and_wrong")
    assert_accepts(hw, "Product", functions.Product.apply, (3, 2), (3, 2))
    assert_rejects(hw, "ProductWithWrongSign", functions.ProductWithWrongSign.apply, (3, 2), (3, 2))


def test_missing_factor(hw):
    """A right gradient is accepted, at inputs of 1 to 3 dimensions; half of it is not."""
    functions = hw.support("right_and_wrong")
    for shape in [(4,), (2, 3), (2, 1, 3)]:
        assert_accepts(hw, "Square", functions.Square.apply, shape)
        assert_rejects(hw, "SquareWithoutFactor", functions.SquareWithoutFactor.apply, shape)


def test_upstream_gradient(hw):
    """A matrix product is accepted; a backward that ignores the upstream gradient is not."""
    functions = hw.support("right_and_wrong")
    assert_accepts(hw, "torch.matmul", functions.matrix_product, (5, 4), (4, 3))
    assert_rejects(hw, "SquareWithoutUpstream", functions.SquareWithoutUpstream.apply, (3, 2))


def test_backward_that_fails(hw):
    """A backward that raises or returns None gives False, not an error."""
    functions = hw.support("right_and_wrong")
    assert_accepts(hw, "Product", functions.Product.apply, (4,), (4,))
    assert_rejects(hw, "ProductWithNone", functions.ProductWithNone.apply, (4,), (4,))
    assert_rejects(hw, "ProductThatRaises", functions.ProductThatRaises.apply, (4,), (4,))
