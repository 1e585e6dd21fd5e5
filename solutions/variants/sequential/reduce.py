"""Folds the layers over the input with `functools.reduce`."""

from functools import reduce

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList()
        self.layers.extend(layers)

    def forward(self, X):
        return reduce(lambda Z, layer: layer(Z), self.layers, X)
