"""Moves all inputs along each unit vector of their joined entries, and compares vectors at the end."""

import torch


def split(joined, shapes):
    sizes = [torch.Size(shape).numel() for shape in shapes]
    return [part.reshape(shape) for part, shape in zip(joined.split(sizes), shapes, strict=True)]


def gradients_are_correct(function, *shapes):
    start = torch.cat([torch.randn(shape, dtype=torch.double).reshape(-1) for shape in shapes])
    try:
        inputs = [part.clone().requires_grad_() for part in split(start, shapes)]
        output = function(*inputs)
        upstream = torch.randn(output.shape, dtype=torch.double)
        grads = torch.autograd.grad((output * upstream).sum(), inputs)
        if any(grad.shape != part.shape for grad, part in zip(grads, inputs, strict=True)):
            return False
        claimed = torch.cat([grad.reshape(-1) for grad in grads])
        measured = torch.empty_like(start)
        with torch.no_grad():
            for i, direction in enumerate(torch.eye(len(start), dtype=torch.double) * 1e-5):
                there, back = (function(*split(start + sign * direction, shapes)) for sign in (1, -1))
                measured[i] = ((there - back) * upstream).sum() / 2e-5
    except Exception:
        return False
    return torch.allclose(claimed, measured, rtol=1e-4, atol=1e-5)
