"""Your layers are in a plain Python list or dictionary. Module does not look into these, so that parameters() does not
find the layers, and linear1 and linear2 do not exist.

Assign each layer to an attribute of its own.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.all_layers = [Linear(in_dim, hidden_dim), ReLU(), Linear(hidden_dim, out_dim, init_factor=1.0)]

    def forward(self, X):
        for layer in self.all_layers:
            X = layer(X)
        return X
