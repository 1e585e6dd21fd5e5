"""Your network keeps the output of its first call, and returns it again for other inputs.

Compute the output in every call.
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
        self.output = None

    def forward(self, X):
        if self.output is None or len(self.output) != len(X):
            self.output = self.linear2(self.relu(self.linear1(X)))
        return self.output
