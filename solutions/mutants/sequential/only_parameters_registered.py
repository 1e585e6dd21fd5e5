"""The parameters of your layers reach the optimizer, but the layers themselves are in a plain list, so that
state_dict() gives the parameters other names.

torch.nn has a kind of list that Module knows.
"""

from torch.nn import Module


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = list(layers)
        for i, layer in enumerate(layers):
            for name, parameter in layer.named_parameters():
                self.register_parameter(f"{i}_{name.replace('.', '_')}", parameter)

    def forward(self, X):
        for layer in self.layers:
            X = layer(X)
        return X
