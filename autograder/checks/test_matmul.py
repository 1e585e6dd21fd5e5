"""Hidden checks of matmul.py: through `MatMul.apply` only, against the closed form of the gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .inputs import (
    assert_gradcheck,
    assert_matches,
    dtypes,
    gradients,
    layouts,
    randn,
    sides,
)


def assert_product(hw, X, Y, upstream):
    """Compare the value and the gradients of one product with the closed form."""
    X, Y = X.requires_grad_(), Y.requires_grad_()
    Z = hw.MatMul.apply(X, Y)
    of_X, of_Y = gradients(Z, (X, Y), upstream, ("X", "Y"))
    assert_matches(Z.detach(), (X @ Y).detach(), "the product")
    assert_matches(of_X, (upstream @ Y.T).detach(), "the gradient for X")
    assert_matches(of_Y, (X.T @ upstream).detach(), "the gradient for Y")


@given(sizes=st.permutations([2, 3, 5]))
def test_shapes_of_gradients(hw, sizes):
    """The gradients have the shapes of X and of Y, for m, n and p all different."""
    m, n, p = sizes
    X, Y = randn(m, n).requires_grad_(), randn(n, p).requires_grad_()
    of_X, of_Y = gradients(hw.MatMul.apply(X, Y), (X, Y), randn(m, p), ("X", "Y"))
    assert of_X.shape == X.shape, f"the gradient for X {tuple(X.shape)} has shape {tuple(of_X.shape)}"
    assert of_Y.shape == Y.shape, f"the gradient for Y {tuple(Y.shape)} has shape {tuple(of_Y.shape)}"


@pytest.mark.points(2)
@given(m=sides, n=sides, p=sides, dtype=dtypes)
def test_gradient_for_X(hw, m, n, p, dtype):
    """The gradient for X is right for random upstream gradients."""
    X, Y = randn(m, n, dtype=dtype).requires_grad_(), randn(n, p, dtype=dtype).requires_grad_()
    upstream = randn(m, p, dtype=dtype)
    of_X, _ = gradients(hw.MatMul.apply(X, Y), (X, Y), upstream, ("X", "Y"))
    assert_matches(of_X, upstream @ Y.detach().T, "the gradient for X")


@pytest.mark.points(2)
@given(m=sides, n=sides, p=sides, dtype=dtypes)
def test_gradient_for_Y(hw, m, n, p, dtype):
    """The gradient for Y is right for random upstream gradients."""
    X, Y = randn(m, n, dtype=dtype).requires_grad_(), randn(n, p, dtype=dtype).requires_grad_()
    upstream = randn(m, p, dtype=dtype)
    _, of_Y = gradients(hw.MatMul.apply(X, Y), (X, Y), upstream, ("X", "Y"))
    assert_matches(of_Y, X.detach().T @ upstream, "the gradient for Y")


@pytest.mark.points(2)
def test_gradcheck(hw):
    """`torch.autograd.gradcheck` agrees, for m, n and p all different, and the value is the product."""
    X, Y = randn(3, 4).requires_grad_(), randn(4, 2).requires_grad_()
    assert_gradcheck(hw.MatMul.apply, X, Y)
    assert_matches(hw.MatMul.apply(X, Y).detach(), (X @ Y).detach(), "the product")


@given(sizes=st.permutations([1, 2, 4]), factor=st.sampled_from([-2.0, 100.0]))
def test_linear_in_the_upstream_gradient(hw, sizes, factor):
    """The gradients are linear in the upstream gradient: zero for zero, and sums and multiples carry over."""
    m, n, p = sizes
    X, Y = randn(m, n).requires_grad_(), randn(n, p).requires_grad_()
    first, second = randn(m, p), randn(m, p)

    def pull(upstream):
        return gradients(hw.MatMul.apply(X, Y), (X, Y), upstream, ("X", "Y"))

    for name, zero in zip("XY", pull(torch.zeros_like(first)), strict=True):
        assert_matches(zero, torch.zeros_like(zero), f"the gradient for {name} with upstream 0")
    combined = pull(factor * first + second)
    for name, a, b, both in zip("XY", pull(first), pull(second), combined, strict=True):
        assert_matches(both, factor * a + b, f"the gradient for {name} with upstream {factor} U + V", 1e-7)
        assert both.any(), f"the gradient for {name} is zero, although the upstream gradient is not"


@given(sizes=st.permutations([2, 3, 5]))
def test_one_input_requires_a_gradient(hw, sizes):
    """When only X or only Y requires a gradient, that one gets the right one."""
    m, n, p = sizes
    X, Y, upstream = randn(m, n), randn(n, p), randn(m, p)
    for_X, for_Y = X.clone().requires_grad_(), Y.clone().requires_grad_()
    (of_X,) = gradients(hw.MatMul.apply(for_X, Y), (for_X,), upstream, ("X",))
    assert_matches(of_X, upstream @ Y.T, "the gradient for X, where Y requires none,")
    (of_Y,) = gradients(hw.MatMul.apply(X, for_Y), (for_Y,), upstream, ("Y",))
    assert_matches(of_Y, X.T @ upstream, "the gradient for Y, where X requires none,")


@given(m=sides, n=sides, p=sides, X=layouts, Y=layouts, upstream=layouts)
def test_layouts(hw, m, n, p, X, Y, upstream):
    """X, Y and the upstream gradient may lie in memory in any way: transposed, with gaps, expanded."""
    assert_product(hw, randn(m, n, layout=X), randn(n, p, layout=Y), randn(m, p, layout=upstream))


@given(sizes=st.lists(st.integers(0, 2), min_size=3, max_size=3).filter(lambda sizes: 0 in sizes))
def test_empty(hw, sizes):
    """m, n or p may be 0: the gradients are then empty, or zeros."""
    m, n, p = sizes
    assert_product(hw, randn(m, n), randn(n, p), randn(m, p))


@given(sizes=st.permutations([2, 3, 5]))
def test_two_products_before_backward(hw, sizes):
    """Each product remembers its own X and Y, when several are computed before the first backward."""
    m, n, p = sizes
    Xs = [randn(m, n).requires_grad_() for _ in range(2)]
    Ys = [randn(n, p).requires_grad_() for _ in range(2)]
    products = [hw.MatMul.apply(X, Y) for X, Y in zip(Xs, Ys, strict=True)]
    for count, X, Y, Z in zip(("first", "second"), Xs, Ys, products, strict=True):
        upstream = randn(m, p)
        of_X, of_Y = gradients(Z, (X, Y), upstream, ("X", "Y"))
        assert_matches(of_X, upstream @ Y.detach().T, f"the gradient for X in the {count} of two products")
        assert_matches(of_Y, X.detach().T @ upstream, f"the gradient for Y in the {count} of two products")


@given(n=sides)
def test_products_of_products(hw, n):
    """Products can be chained, and a matrix can be multiplied by itself: its gradients add up."""
    X, upstream = randn(n, n).requires_grad_(), randn(n, n)
    (of_X,) = gradients(hw.MatMul.apply(hw.MatMul.apply(X, X), X), (X,), upstream, ("X",))
    (expected,) = torch.autograd.grad(X @ X @ X, X, upstream)
    assert_matches(of_X, expected, "the gradient of X X X for X", 1e-7)
