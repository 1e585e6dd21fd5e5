"""Stands in for two_layer_nn.py where another question is judged: torch's own functions."""

import torch
from torch import Tensor, nn


class _Linear(nn.Module):
    def __init__(self, in_dim: int, out_dim: int, init_factor: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_dim, out_dim).normal_(std=(init_factor / in_dim) ** 0.5))
        self.bias = nn.Parameter(torch.zeros(out_dim))

    def forward(self, X: Tensor) -> Tensor:
        return nn.functional.linear(X, self.weight.T, self.bias)


class TwoLayerNN(nn.Module):
    """The network of the contract."""

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int) -> None:
        """Create the layers."""
        super().__init__()
        self.linear1 = _Linear(in_dim, hidden_dim, 2.0)
        self.relu = nn.ReLU()
        self.linear2 = _Linear(hidden_dim, out_dim, 1.0)

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits."""
        return nn.Sequential(self.linear1, self.relu, self.linear2)(X)
