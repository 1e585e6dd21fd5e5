"""The result must know how it was computed: detach() cuts the gradient off."""

import torch


def square(x: torch.Tensor) -> torch.Tensor:
    return (x * x).detach()
