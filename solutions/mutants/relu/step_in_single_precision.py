"""Your ReLU returns 1 for positive entries. That is its derivative: where X is positive, the result is X itself."""

from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return (X > 0).float()
