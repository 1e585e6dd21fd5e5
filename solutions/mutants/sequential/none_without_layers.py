"""A network without layers returns None. With nothing to apply, the output is the input.

What does forward return when the loop does not run?
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        out = None
        for layer in self.layers:
            out = X = layer(X)
        return out
