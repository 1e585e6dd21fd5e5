"""Your network never applies its ReLU. Two linear layers in a row are just one linear layer.

Look at what happens to the output of linear1.
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

    def forward(self, X):
        return self.linear2(self.linear1(X))
