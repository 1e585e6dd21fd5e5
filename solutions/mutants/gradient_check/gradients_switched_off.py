"""After a function was rejected, your check rejects all others: gradients are switched off with
`set_grad_enabled` and not switched on again on every way out. `with torch.no_grad():` does that for
you.
"""

import torch


def gradients_are_correct(function, *shapes):
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    try:
        output = function(*inputs)
        upstream = torch.randn_like(output)
        gradients = torch.autograd.grad(output, inputs, upstream)
        torch.set_grad_enabled(False)
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
        torch.set_grad_enabled(True)
    except Exception:
        return False
    return True
