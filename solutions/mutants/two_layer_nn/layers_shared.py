"""All your networks of the same sizes share their layers: training one trains the others too.

Create new layers for each network.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


LAYERS = {}


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        sizes = in_dim, hidden_dim, out_dim
        if sizes not in LAYERS:
            LAYERS[sizes] = Linear(in_dim, hidden_dim), Linear(hidden_dim, out_dim, init_factor=1.0)
        self.linear1, self.linear2 = LAYERS[sizes]
        self.relu = ReLU()

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
