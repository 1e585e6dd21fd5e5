"""Your network applies a ReLU after every layer. It should apply the layers it was given, and nothing else.

Whoever wants a ReLU gives one as a layer.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X).clamp(min=0)
        return X
