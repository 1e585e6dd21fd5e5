"""Your network calls each layer twice, and uses one result only. That costs twice the time, and a layer that
counts or draws random numbers shows it.

Call each layer once, and keep what it returns.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers:
            if layer(X) is not None:
                X = layer(X)
        return X
