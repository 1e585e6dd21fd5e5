"""Your layers are applied last to first. The first layer given should work on the input.

Look at the order of your loop.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in reversed(self.layers):
            X = layer(X)
        return X
