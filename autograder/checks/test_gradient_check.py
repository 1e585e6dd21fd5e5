"""Hidden checks of gradient_check.py: right and wrong Functions, sent as support code, must be told apart."""

import pytest

# An operation of support/operations.py and the shapes of its inputs.
PRODUCT = ("b", (4, 3), (3, 2))
SQUARE = ("b", (3, 3), (3, 3))
ENTRYWISE = ("c", (3, 4), (3, 4))
ENTRYWISE_SQUARE = ("c", (3, 3), (3, 3))
SMALL = ("e", (4, 3), (4, 3))
SOME_ROWS = ("f", (3, 2), (3, 2))
ONE_INPUT = ("a", (3, 4))
VECTOR_RESULT = ("h", (4, 3))
THREE_INPUTS = ("d", (2, 3), (3, 4), (2, 4))
VECTORS = ("g", (3,), (2,))
SINGLE_ENTRIES = ("c", (1,), (1,))
THREE_DIMENSIONS = ("c", (2, 3, 2), (2, 3, 2))


def verdict(hw, operation, *shapes, backward=0):
    """Return what the student's check says of an operation with one of the backwards; 0 is the right one."""
    return hw.gradients_are_correct(hw.support("operations").make(operation, backward), *shapes)


def assert_accepted(hw, *cases):
    """Assert that each case is accepted with its right backward."""
    for operation, *shapes in cases:
        result = verdict(hw, operation, *shapes)
        assert result, f"a right Function with inputs of shapes {shapes} was not accepted: {result!r} came"


def assert_rejected(hw, why, backward, *cases):
    """Assert that each case is rejected with this backward, and accepted with its right one."""
    for operation, *shapes in cases:
        result = verdict(hw, operation, *shapes, backward=backward)
        assert not result, f"a Function with inputs of shapes {shapes} was accepted, although {why}"
    assert_accepted(hw, *cases)


@pytest.mark.points(2)
def test_accepts_right_functions(hw):
    """Right Functions of two inputs are accepted: products of matrices, products and sums of entries.

    Wherever something is accepted, a gross error must be rejected: accepting everything earns nothing.
    """
    assert_accepted(hw, PRODUCT, SQUARE, ENTRYWISE, SMALL)
    assert_rejected(hw, "its backward returns zeros", 21, PRODUCT)


@pytest.mark.points(2)
def test_number_of_inputs(hw):
    """Right Functions of one and of three inputs are accepted, wrong ones rejected."""
    cases = ONE_INPUT, VECTOR_RESULT, THREE_INPUTS
    assert_accepted(hw, *cases)
    assert_rejected(hw, "its gradients have the wrong sign", 1, *cases)
    assert_rejected(hw, "the gradient for its last input has the wrong sign", 2, *cases)


def test_dimensions(hw):
    """Inputs may have one dimension or three, and a single entry."""
    cases = VECTORS, SINGLE_ENTRIES, THREE_DIMENSIONS
    assert_accepted(hw, *cases)
    assert_rejected(hw, "one entry of the gradient for its last input is 1 % too small", 11, *cases)


def test_accepts_zeros_in_the_gradient(hw):
    """A right Function that does not depend on some entries is accepted: their gradient is 0."""
    assert_rejected(hw, "its backward returns zeros", 21, SOME_ROWS)
    assert_rejected(hw, "its gradients are not 0 where they should be", 25, SOME_ROWS)


def test_sign(hw):
    """Gradients of the wrong sign are rejected."""
    assert_rejected(hw, "its gradients have the wrong sign", 1, PRODUCT, ENTRYWISE)


def test_factor(hw):
    """Gradients with a missing factor are rejected."""
    assert_rejected(hw, "its gradients are half of what they should be", 3, PRODUCT, ENTRYWISE)


def test_swapped(hw):
    """Swapped gradients are rejected, where the inputs have the same shape."""
    assert_rejected(hw, "its two gradients are swapped", 5, SQUARE, ENTRYWISE)


def test_transposed(hw):
    """Transposed gradients are rejected, where the inputs are square."""
    assert_rejected(hw, "its gradients are transposed", 6, SQUARE, ENTRYWISE_SQUARE)


@pytest.mark.points(2)
def test_error_in_one_input(hw):
    """An error in the gradient of only one input is rejected, whichever input it is."""
    assert_rejected(hw, "the gradient for its last input has the wrong sign", 2, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "the gradient for its first input is three times too large", 4, PRODUCT, ENTRYWISE)


@pytest.mark.points(2)
def test_upstream_gradient(hw):
    """Errors that show only when the upstream gradient is not all ones are rejected."""
    assert_rejected(hw, "its backward ignores the upstream gradient", 7, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "its backward takes the mean of the upstream gradient", 8, PRODUCT, SMALL)
    assert_rejected(hw, "its backward reverses the rows of the upstream gradient", 9, PRODUCT, SMALL)


@pytest.mark.points(2)
def test_one_percent_in_one_entry(hw):
    """An error of 1 % in one entry is rejected, wherever the entry is."""
    for _ in range(3):  # the entry is another one each time
        assert_rejected(hw, "one entry of its first gradient is 1 % too large", 10, PRODUCT, ENTRYWISE)
        assert_rejected(hw, "one entry of its last gradient is 1 % too small", 11, PRODUCT, ENTRYWISE)


def test_one_percent_in_a_small_entry(hw):
    """An error of 1 % is rejected also where gradients are of magnitude 0.1 to 1."""
    assert_rejected(hw, "one entry of its first gradient is 1 % too large", 10, SMALL)
    assert_rejected(hw, "one entry of its last gradient is 1 % too small", 11, SMALL)


def test_inputs_are_random(hw):
    """Gradients taken at another point than the inputs are rejected: all ones, zeros, or rounded."""
    assert_rejected(hw, "its gradients are those at inputs of ones", 22, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "its gradients are those at inputs of zeros", 23, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "its gradients are those at rounded inputs", 24, PRODUCT, ENTRYWISE)


def test_zeros(hw):
    """A backward that returns zeros is rejected."""
    assert_rejected(hw, "its backward returns zeros", 21, PRODUCT, ENTRYWISE)


def test_none(hw):
    """A backward that returns `None` is rejected, for one input or for all."""
    assert_rejected(hw, "its backward returns None for its last input", 12, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "its backward returns None for every input", 13, PRODUCT, ENTRYWISE)


def test_wrong_shape(hw):
    """A backward that returns gradients of wrong shapes, or too few of them, is rejected."""
    assert_rejected(hw, "the gradient for its last input has the wrong shape", 14, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "the gradient for its first input has twice as many rows", 15, PRODUCT, ENTRYWISE)
    assert_rejected(hw, "its backward returns one gradient too few", 16, PRODUCT, ENTRYWISE)


def test_backward_raises(hw):
    """A backward that raises is rejected, whatever it raises, and nothing is raised."""
    for backward in (17, 18, 19, 20):
        assert_rejected(hw, "its backward raises", backward, PRODUCT)


def test_returns_bool(hw):
    """The result is `True` or `False`, not a tensor or a number."""
    for backward, wanted in ((0, True), (1, False), (13, False), (17, False)):
        result = verdict(hw, *PRODUCT, backward=backward)
        assert isinstance(result, bool), f"the result should be True or False; it is {result!r}"
        assert result == wanted, f"the result should be {wanted}; it is {result}"


def test_double_inputs_of_the_given_shapes(hw):
    """The function is called with as many inputs as there are shapes, of these shapes, all double."""
    make_strict = hw.support("operations").make_strict
    for operation, *shapes in (PRODUCT, SQUARE, ENTRYWISE):
        result = hw.gradients_are_correct(make_strict(operation, 0, *shapes), *shapes)
        assert result, f"a right Function that takes only double inputs of shapes {shapes} was not accepted"
        result = hw.gradients_are_correct(make_strict(operation, 21, *shapes), *shapes)
        assert not result, f"a Function with inputs of shapes {shapes} was accepted, although it returns zeros"


def test_earlier_verdicts_do_not_count(hw):
    """Right Functions are accepted and wrong ones rejected in any order, again and again."""
    for backward in (0, 1, 17, 0, 7, 13, 0, 0, 2):
        right = backward == 0
        assert bool(verdict(hw, *PRODUCT, backward=backward)) == right, (
            f"after calls for other Functions, a {'right' if right else 'wrong'} one was judged the other way"
        )
