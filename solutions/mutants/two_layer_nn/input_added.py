"""Your network adds something to the output of its layers. It should be linear2 of the ReLU of linear1, and
nothing else.

Look at the last line of forward.
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
        logits = self.linear2(self.relu(self.linear1(X)))
        return logits + X.mean()
