"""The result must know how it was computed: detach() cuts the gradient off."""

import torch


def cube(x: torch.Tensor) -> torch.Tensor:
    return (x * x * x).detach()
