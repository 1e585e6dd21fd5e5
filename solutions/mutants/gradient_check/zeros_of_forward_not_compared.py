"""A backward that returns a gradient where there is none passes your check: entries that the function
does not depend on are left out of the comparison.

Their gradient must be 0: compare them, too.
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
                for i in range(X.numel()):
                    x = X.view(-1)[i].item()
                    X.view(-1)[i] = x + 1e-5
                    above = function(*inputs)
                    X.view(-1)[i] = x - 1e-5
                    below = function(*inputs)
                    X.view(-1)[i] = x
                    measured = ((above - below) * upstream).sum().item() / (2 * 1e-5)
                    if abs(measured) < 1e-6:
                        continue
                    if not abs(gradient.flatten()[i].item() - measured) <= 1e-5 + 1e-4 * abs(measured):
                        return False
    except Exception:
        return False
    return True
