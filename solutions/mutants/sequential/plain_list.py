"""Your layers are in a plain Python list or tuple. Module does not look into these, so that parameters() finds nothing
to train.

torch.nn has a kind of list that Module knows.
"""

from torch.nn import Module


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = list(layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
