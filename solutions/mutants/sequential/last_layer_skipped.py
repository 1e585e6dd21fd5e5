"""Your network leaves out its last layer.

Look at where your loop ends.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = layer(X)
        return X
