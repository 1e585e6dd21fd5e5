"""sequential: asks for more memory than there is."""

import torch
from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        copies = torch.zeros(10**10, dtype=torch.float64)
        for layer in self.layers:
            X = layer(X)
        return X + copies[0]
