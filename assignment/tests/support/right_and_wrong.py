"""Functions with a right backward and with wrong ones, to try a gradient check on."""

import torch
from torch.autograd import Function

matrix_product = torch.matmul  # with PyTorch's own backward


class Square(Function):
    """The square of each entry; right."""

    @staticmethod
    def forward(ctx, X):
        """Return X**2."""
        ctx.save_for_backward(X)
        return X**2

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient for X."""
        (X,) = ctx.saved_tensors
        return 2 * X * grad


class SquareWithoutFactor(Square):
    """Forgets the 2."""

    @staticmethod
    def backward(ctx, grad):
        """Return half of the gradient."""
        (X,) = ctx.saved_tensors
        return X * grad


class SquareWithoutUpstream(Square):
    """Ignores the upstream gradient: right only if that is all ones."""

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient of the sum."""
        (X,) = ctx.saved_tensors
        return 2 * X


class Product(Function):
    """The elementwise product; right."""

    @staticmethod
    def forward(ctx, X, Y):
        """Return X * Y."""
        ctx.save_for_backward(X, Y)
        return X * Y

    @staticmethod
    def backward(ctx, grad):
        """Return the gradients for X and for Y."""
        X, Y = ctx.saved_tensors
        return grad * Y, grad * X


class ProductWithWrongSign(Product):
    """Wrong in its second input only."""

    @staticmethod
    def backward(ctx, grad):
        """Return the right gradient for X, and minus the gradient for Y."""
        X, Y = ctx.saved_tensors
        return grad * Y, -grad * X


class ProductWithNone(Product):
    """Claims that the second input does not matter."""

    @staticmethod
    def backward(ctx, grad):
        """Return the right gradient for X, and None for Y."""
        _, Y = ctx.saved_tensors
        return grad * Y, None


class ProductThatRaises(Product):
    """Has a backward that does not even run."""

    @staticmethod
    def backward(ctx, grad):
        """Raise."""
        raise RuntimeError("this backward raises on purpose")
