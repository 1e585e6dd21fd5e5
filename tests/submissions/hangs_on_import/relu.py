"""Never comes to an end of being imported."""

import torch
from torch.nn import Module

number = 1
while number:
    number += 1


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.clamp(min=0)
