"""Your check rejects right functions that are curved: over a step so large the difference quotient is
not the derivative. For products, which are linear in each entry, it happens to be exact.

Take a smaller step.
"""

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
                    X.view(-1)[i] = x + 0.5
                    above = function(*inputs)
                    X.view(-1)[i] = x - 0.5
                    below = function(*inputs)
                    X.view(-1)[i] = x
                    measured.view(-1)[i] = ((above - below) * upstream).sum() / (2 * 0.5)
                if not torch.allclose(gradient, measured, rtol=1e-4, atol=1e-5):
                    return False
    except Exception:
        return False
    return True
