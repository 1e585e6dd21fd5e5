"""Your check takes matrices only: it unpacks each shape into rows and columns. Inputs may have one
dimension, or three; going through the entries by a single index works for all.
"""

import torch


def gradients_are_correct(function, *shapes):
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    try:
        output = function(*inputs)
        upstream = torch.randn_like(output)
        gradients = torch.autograd.grad(output, inputs, upstream)
    except Exception:
        return False
    with torch.no_grad():
        for X, gradient in zip(inputs, gradients):
            rows, columns = X.shape
            for i in range(rows):
                for j in range(columns):
                    x = X[i, j].item()
                    X[i, j] = x + 1e-5
                    above = function(*inputs)
                    X[i, j] = x - 1e-5
                    below = function(*inputs)
                    X[i, j] = x
                    measured = ((above - below) * upstream).sum() / 2e-5
                    if abs(gradient[i, j] - measured) > 1e-5 + 1e-4 * abs(measured):
                        return False
    return True
