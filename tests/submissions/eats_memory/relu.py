"""Allocates tensors until there is no memory left."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        hoard = []
        while True:
            hoard.append(torch.empty(256 << 20, dtype=torch.uint8))
