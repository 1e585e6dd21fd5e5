"""Zeroes the negative entries of a copy in place, with a mask."""

from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        Z = X.clone()
        Z[X < 0] = 0
        return Z
