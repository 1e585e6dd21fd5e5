"""The output of your network lacks the bias of linear2. You see it only when that bias is not zero, so after
training.

Call the layer; don't multiply by its weight yourself.
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
        return self.relu(self.linear1(X)) @ self.linear2.weight
