"""All your networks share one list of layers, for example because it belongs to the class: a new network has the layers
of all earlier ones.

Create the list in __init__.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    stack = ModuleList()

    def __init__(self, *layers):
        super().__init__()
        self.stack.extend(layers)
        self.layers = self.stack

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
