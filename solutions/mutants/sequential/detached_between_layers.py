"""Gradients reach only your last layer: the output of each layer is cut off from the layers before it.

Look for detach, .data or no_grad in forward.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X.detach())
        return X
