"""Your verdict on the first function is given for every later one with inputs of the same shapes:
something is kept between calls. Keep nothing outside the function.
"""

import torch

seen = {}


def gradients_are_correct(function, *shapes):
    if shapes in seen:
        return seen[shapes]
    seen[shapes] = verdict(function, shapes)
    return seen[shapes]


def verdict(function, shapes):
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    try:
        output = function(*inputs)
        upstream = torch.randn_like(output)
        gradients = torch.autograd.grad(output, inputs, upstream)
    except Exception:
        return False
    with torch.no_grad():
        for X, gradient in zip(inputs, gradients):
            for i in range(X.numel()):
                x = X.view(-1)[i].item()
                X.view(-1)[i] = x + 1e-5
                above = function(*inputs)
                X.view(-1)[i] = x - 1e-5
                below = function(*inputs)
                X.view(-1)[i] = x
                measured = ((above - below) * upstream).sum() / 2e-5
                if abs(gradient.reshape(-1)[i] - measured) > 1e-5 + 1e-4 * abs(measured):
                    return False
    return True
