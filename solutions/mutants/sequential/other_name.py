"""Your network works, but its layers are not in the attribute layers, so that parameters have other names
than layers.0.weight.

Compare the name of your attribute with the one in the class's docstring.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.steps = ModuleList(layers)

    def forward(self, X):
        for layer in self.steps:
            X = layer(X)
        return X
