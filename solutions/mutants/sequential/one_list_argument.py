"""Your network cannot be built from layers that are given one by one, as in Sequential(f, g, h).

A star before the parameter's name in __init__ collects them in a tuple; ModuleList takes such a tuple as it is,
without a star.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, layers=()):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
