"""Creates both layers alike, and then scales the second one's weights from variance 2 / n to 1 / n."""

import math

from torch import nn

from linear import Linear
from relu import ReLU


class TwoLayerNN(nn.Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.linear1, self.linear2 = Linear(in_dim, hidden_dim), Linear(hidden_dim, out_dim)
        self.linear2.weight.data.mul_(math.sqrt(0.5))
        self.relu = ReLU()

    def hidden(self, X):
        return self.relu(self.linear1(X))

    def forward(self, X):
        return self.linear2(self.hidden(X))
