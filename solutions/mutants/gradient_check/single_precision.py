"""Your inputs are not double. In float32, finite differences are right to two or three digits only, and
the function may not take such inputs: it is promised double ones.
"""

import torch


def gradients_are_correct(function, *shapes):
    inputs = [torch.randn(shape, requires_grad=True) for shape in shapes]
    try:
        output = function(*inputs)
        upstream = torch.randn_like(output)
        gradients = torch.autograd.grad(output, inputs, upstream)
        with torch.no_grad():
            for X, gradient in zip(inputs, gradients):
                measured = torch.zeros_like(X)
                for i in range(X.numel()):
                    x = X.view(-1)[i].item()
                    X.view(-1)[i] = x + 1e-2
                    above = function(*inputs)
                    X.view(-1)[i] = x - 1e-2
                    below = function(*inputs)
                    X.view(-1)[i] = x
                    measured.view(-1)[i] = ((above - below) * upstream).sum() / (2 * 1e-2)
                if not torch.allclose(gradient, measured, rtol=5e-3, atol=1e-3):
                    return False
    except Exception:
        return False
    return True
