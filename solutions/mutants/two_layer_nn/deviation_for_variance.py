"""The weights of linear2 start with 1.4 times the variance they should have. init_factor is a factor of the variance,
not of the standard deviation: it needs no square root.

Look at the init_factor that you give to linear2.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim, init_factor=2.0**0.5)

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
