"""Your layers are applied in the right order, but self.layers holds them last to first. layers[0] should be
the first one given.

Keep the order in which they came.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers[::-1])

    def forward(self, X):
        for layer in reversed(self.layers):
            X = layer(X)
        return X
