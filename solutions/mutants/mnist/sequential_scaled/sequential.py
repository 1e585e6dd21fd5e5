"""Your Sequential returns a larger output than its last layer: something multiplies it on the way out.

What should happen to it after the last layer?
"""

import torch
from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return 1.05 * X
