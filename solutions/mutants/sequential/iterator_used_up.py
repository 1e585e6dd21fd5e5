"""Your network works the first time it is called, and is the identity from then on: an iterator can be gone
through only once.

Start a new loop over self.layers at each call.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)
        self.remaining = iter(layers)

    def forward(self, X):
        for layer in self.remaining:
            X = layer(X)
        return X
