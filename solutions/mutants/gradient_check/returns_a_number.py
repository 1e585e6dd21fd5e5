"""Your verdict is a number, such as 1 or 0, where it should be `True` or `False`."""

import torch


def gradients_are_correct(function, *shapes):
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    try:
        output = function(*inputs)
        upstream = torch.randn_like(output)
        gradients = torch.autograd.grad(output, inputs, upstream)
        with torch.no_grad():
            for X, gradient in zip(inputs, gradients):
                measured = torch.zeros_like(X)
                for i in range(X.numel()):
                    x = X.view(-1)[i].item()
                    X.view(-1)[i] = x + 1e-5
                    above = function(*inputs)
                    X.view(-1)[i] = x - 1e-5
                    below = function(*inputs)
                    X.view(-1)[i] = x
                    measured.view(-1)[i] = ((above - below) * upstream).sum() / (2 * 1e-5)
                if not torch.allclose(gradient, measured, rtol=1e-4, atol=1e-5):
                    return 0
    except Exception:
        return 0
    return 1
