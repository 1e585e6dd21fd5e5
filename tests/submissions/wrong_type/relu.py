"""Returns a NumPy array instead of a tensor."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.detach().clamp(min=0).numpy()
