"""Returns the right numbers in a flat tensor."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.clamp(min=0).flatten()
