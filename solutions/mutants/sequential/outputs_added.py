"""Your network adds up the outputs of its layers. Each layer should work on the output of the one before it.

Follow one value through your loop by hand.
"""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        out = X
        for layer in self.layers:
            out = out + layer(out)
        return out
