"""Your network applies the ReLU to its output, not between the layers: logits may be negative, hidden values
may not.

Look at the order of the three parts in forward.
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
        return self.relu(self.linear2(self.linear1(X)))
