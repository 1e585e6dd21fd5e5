"""A network inside your network is left out. It is a layer like any other.

Whatever layer it is, only its call matters.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layer for layer in layers if not isinstance(layer, Sequential))

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
