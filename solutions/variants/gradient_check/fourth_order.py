"""Uses a difference quotient of fourth order with a larger step, from inputs in [-1, 1]."""

import torch

WEIGHTS = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}


def gradients_are_correct(function, *shapes):
    h = 1e-3
    points = tuple(torch.rand(shape, dtype=torch.float64) * 2 - 1 for shape in shapes)
    leaves = tuple(p.clone().requires_grad_(True) for p in points)
    try:
        out = function(*leaves)
        upstream = torch.rand(out.shape, dtype=torch.float64) + 0.5
        upstream = upstream * torch.where(torch.rand(out.shape) < 0.5, -1.0, 1.0)
        claimed = torch.autograd.grad((out * upstream).sum(), leaves, allow_unused=True)
        if any(c is None for c in claimed):
            return False
        for i, point in enumerate(points):
            numeric = torch.zeros(point.numel(), dtype=torch.float64)
            for j in range(point.numel()):
                direction = torch.zeros(point.numel(), dtype=torch.float64)
                direction[j] = h
                for steps, weight in WEIGHTS.items():
                    moved = [*points[:i], point + steps * direction.reshape(point.shape), *points[i + 1 :]]
                    numeric[j] += weight / h * (function(*moved).detach() * upstream).sum()
            error = (claimed[i].reshape(-1) - numeric).abs()
            if bool((error > 1e-6 + 1e-4 * numeric.abs()).any()) or bool(error.isnan().any()):
                return False
        return True
    except Exception:
        return False
