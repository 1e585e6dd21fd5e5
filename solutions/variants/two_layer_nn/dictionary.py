"""Sets its parts in a loop over a dictionary, and applies them one per line, with type hints."""

import torch
from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    linear1: Module
    linear2: Module
    relu: Module

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int) -> None:
        super().__init__()
        parts = {
            "linear1": Linear(in_dim, hidden_dim),
            "relu": ReLU(),
            "linear2": Linear(hidden_dim, out_dim, True, 1.0),
        }
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        X = self.linear1.forward(X)
        X = self.relu.forward(X)
        X = self.linear2.forward(X)
        return X
