"""Your network fails without layers. With nothing to apply, the output is the input.

Does your loop need a first layer to start from?
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        X = self.layers[0](X)
        for layer in self.layers[1:]:
            X = layer(X)
        return X
