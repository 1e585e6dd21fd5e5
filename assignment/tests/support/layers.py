"""Layers to put into a Sequential."""

import torch


class Affine(torch.nn.Module):
    """Multiplies by a factor, then adds a number; without parameters."""

    def __init__(self, factor=1.0, added=0.0):
        """Keep the two numbers."""
        super().__init__()
        self.factor, self.added = factor, added

    def forward(self, X):
        """Return factor * X + added."""
        return self.factor * X + self.added


def linear(in_dim, out_dim):
    """PyTorch's own linear layer, with parameters."""
    return torch.nn.Linear(in_dim, out_dim)
