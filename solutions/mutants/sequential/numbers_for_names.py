"""Your layers are attributes of the network itself, with names such as 0, 1, 2. They should be in a ModuleList named
layers, so that parameters are named layers.0.weight.

One assignment in __init__ does it.
"""

from torch.nn import Module


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        for i, layer in enumerate(layers):
            self.add_module(str(i), layer)

    def forward(self, X):
        for layer in self.children():
            X = layer(X)
        return X
