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
        if (in_dim, hidden_dim, out_dim) not in LAYERS:
            LAYERS[in_dim, hidden_dim, out_dim] = Linear(in_dim, hidden_dim), Linear(hidden_dim, out_dim, init_factor=1.0)
        self.linear1, self.linear2 = LAYERS[in_dim, hidden_dim, out_dim]
        self.relu = ReLU()

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
