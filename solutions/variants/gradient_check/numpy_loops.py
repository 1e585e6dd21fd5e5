"""Keeps the inputs as numpy arrays, walks them with ndindex, and asks three random points."""

import numpy as np
import torch


def evaluate(function, arrays, upstream):
    with torch.no_grad():
        output = function(*[torch.from_numpy(array.copy()) for array in arrays])
    return float((output.numpy() * upstream).sum())


def agrees_at_random_point(function, shapes):
    arrays = [torch.randn(shape, dtype=torch.float64).numpy() for shape in shapes]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    output = function(*tensors)
    upstream = torch.randn(output.shape, dtype=torch.float64)
    output.backward(upstream)
    for array, tensor in zip(arrays, tensors, strict=True):
        if tensor.grad is None or tensor.grad.shape != tensor.shape:
            return False
        for index in np.ndindex(*array.shape):
            x = array[index]
            values = []
            for step in (1e-5, -1e-5):
                array[index] = x + step
                values.append(evaluate(function, arrays, upstream.numpy()))
            array[index] = x
            numeric = (values[0] - values[1]) / 2e-5
            if not np.isclose(tensor.grad[index].item(), numeric, rtol=1e-3, atol=1e-5):
                return False
    return True


def gradients_are_correct(function, *shapes):
    try:
        return all([agrees_at_random_point(function, shapes) for _ in range(3)])
    except Exception:
        return False
