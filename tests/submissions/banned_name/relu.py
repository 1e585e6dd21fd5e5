"""Is right, and uses a ready-made answer."""

import torch
import torch.nn.functional as F
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return F.relu(X)
