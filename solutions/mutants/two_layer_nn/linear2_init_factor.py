"""The weights of linear2 start with twice the variance they should have: their init_factor is the default, which
suits a layer that a ReLU follows.

Look at how you create linear2, and name the argument that you mean: the third one of Linear is bias.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim)

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
