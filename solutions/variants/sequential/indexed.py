"""Counts through the layers by index, and can say how many there are."""

import torch.nn as nn


class Sequential(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        nn.Module.__init__(self)
        self.layers = nn.ModuleList(list(layers))

    def __len__(self) -> int:
        return len(self.layers)

    def forward(self, X):
        Z = X
        for i in range(len(self.layers)):
            Z = self.layers[i].forward(Z)
        return Z
