"""What several of the answers use."""

import torch
from torch.nn import Module


def positive_part(X: torch.Tensor) -> torch.Tensor:
    return X * (X > 0)


class Elementwise(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.function(X)
