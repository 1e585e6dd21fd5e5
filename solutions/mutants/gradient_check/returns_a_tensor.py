"""Your verdict is a tensor where it should be `True` or `False`: a comparison of tensors gives a tensor.
`bool` makes a truth value of it.
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
                    X.view(-1)[i] = x + 1e-5
                    above = function(*inputs)
                    X.view(-1)[i] = x - 1e-5
                    below = function(*inputs)
                    X.view(-1)[i] = x
                    measured.view(-1)[i] = ((above - below) * upstream).sum() / (2 * 1e-5)
                good = ((gradient - measured).abs() <= 1e-5).all()
                if not good:
                    return good
    except Exception:
        return False
    return good
