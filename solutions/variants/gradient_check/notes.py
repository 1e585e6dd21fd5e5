"""Compares the Jacobians by differences and by backward, input by input, as the notes' gradcheck does.

The notes call torch's own gradcheck, which this question bans: this is it by hand, with its tolerances.
"""

import torch


def gradients_are_correct(function, *shapes):
    inputs = [torch.randn(*shape, dtype=torch.double, requires_grad=True) for shape in shapes]
    eps, atol, rtol = 1e-6, 1e-5, 1e-3
    try:
        output = function(*inputs)
        for number, X in enumerate(inputs):
            analytical = torch.zeros(output.numel(), X.numel(), dtype=torch.double)
            numerical = torch.zeros_like(analytical)
            for i, unit in enumerate(torch.eye(output.numel(), dtype=torch.double)):
                (row,) = torch.autograd.grad(output, X, unit.view(output.shape), retain_graph=True)
                analytical[i] = row.flatten()
            for j, unit in enumerate(torch.eye(X.numel(), dtype=torch.double)):
                step = eps * unit.view(X.shape)
                above, below = list(inputs), list(inputs)
                above[number], below[number] = X.detach() + step, X.detach() - step
                numerical[:, j] = (function(*above) - function(*below)).detach().flatten() / (2 * eps)
            if not torch.allclose(analytical, numerical, rtol=rtol, atol=atol):
                return False
    except Exception:
        return False
    return True
