"""The init_factor of 1.0 is in the wrong layer: it belongs to the one that no ReLU follows.

Look at how you create the two layers.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim, init_factor=1.0)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim)

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
