"""The square of a number that is not whole is not whole either: do not round."""

import torch


def square(x: torch.Tensor) -> torch.Tensor:
    return (x * x).round() if x.is_floating_point() else x * x
