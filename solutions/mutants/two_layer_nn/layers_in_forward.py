"""Your network does not use its own layers: forward creates others, with other weights.

Use the layers of __init__ in forward.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim, init_factor=1.0)
        self.sizes = in_dim, hidden_dim, out_dim

    def forward(self, X):
        i, h, o = self.sizes
        hidden = self.relu(Linear(i, h).to(X.dtype)(X))
        return Linear(h, o, init_factor=1.0).to(X.dtype)(hidden)
