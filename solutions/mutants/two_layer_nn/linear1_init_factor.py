"""The weights of linear1 start with half the variance they should have. A ReLU follows them, and the default
init_factor is made for that.

Look at how you create linear1.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim, init_factor=1.0)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim, init_factor=1.0)

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
