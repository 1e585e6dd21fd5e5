"""Layers, one after the other."""

import torch
from torch.nn import Module, ModuleList


class Sequential(Module):
    """Apply layers in turn: ``Sequential(f, g, h)(X)`` is ``h(g(f(X)))``.

    Args:
        layers: any number of Modules; without any, the output is the input

    Attributes:
        layers: ModuleList of the layers; a plain list would hide their parameters from ``parameters()``

    Example:
        >>> model = Sequential(Linear(784, 100), ReLU(), Linear(100, 10))
    """

    layers: ModuleList

    def __init__(self, *layers: Module) -> None:
        """Keep the layers."""
        # BEGIN SOLUTION
        super().__init__()
        self.layers = ModuleList(layers)
        # END SOLUTION

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the output of the last layer."""
        # BEGIN SOLUTION
        for layer in self.layers:
            X = layer(X)
        return X
        # END SOLUTION
