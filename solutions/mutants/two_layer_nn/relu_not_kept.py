"""Your network has no attribute relu.

Create the ReLU in __init__, beside the linear layers, and use it in forward.
"""

from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1 = Linear(in_dim, hidden_dim)
        self.linear2 = Linear(hidden_dim, out_dim, init_factor=1.0)

    def forward(self, X):
        return self.linear2(ReLU()(self.linear1(X)))
