"""One of your linear layers has no bias. Both should have one.

Look at how you create the layers.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim)
        self.relu = ReLU()
        self.linear2 = Linear(hidden_dim, out_dim, bias=False, init_factor=1.0)

    def forward(self, X):
        return self.linear2(self.relu(self.linear1(X)))
