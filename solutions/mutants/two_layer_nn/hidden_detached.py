"""The values of your network are right, but no gradient comes through to linear1: only linear2 can learn.

Look for detach, .data or no_grad on the way.
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
        hidden = self.relu(self.linear1(X)).detach()
        return self.linear2(hidden)
