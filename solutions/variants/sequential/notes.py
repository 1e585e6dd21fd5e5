"""As in the course notes: a ModuleList, and a loop over it."""

from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
