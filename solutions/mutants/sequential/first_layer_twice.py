"""Your network applies its first layer twice.

Look at what happens before your loop, and where the loop starts.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        if len(self.layers):
            X = self.layers[0](X)
        for layer in self.layers:
            X = layer(X)
        return X
