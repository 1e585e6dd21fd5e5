"""What is looked at to recognise a mistake in matmul.py."""

import torch

from ..inputs import randn


def probe(hw, see):
    """Look at values and gradients of products: general, square, empty, chained, alone."""

    def pull(X, Y, upstream):
        return torch.autograd.grad(hw.MatMul.apply(X, Y), [t for t in (X, Y) if t.requires_grad], upstream)

    for m, n, p in ((2, 3, 4), (2, 2, 2), (0, 2, 1)):
        X, Y, upstream = randn(m, n).requires_grad_(), randn(n, p).requires_grad_(), 3 * randn(m, p)
        see(f"product {m} {n} {p}", lambda: hw.MatMul.apply(X, Y))
        see(f"gradients {m} {n} {p}", lambda: pull(X, Y, upstream))
