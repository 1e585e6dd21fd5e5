"""A layer that is given twice is applied once only. It should be applied at each of its places, with the same
parameters.

Look for a set or a dict, which keeps only one of equal things.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(dict.fromkeys(layers))

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
