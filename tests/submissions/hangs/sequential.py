"""Never comes to an end when there are no layers."""

import torch
from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers: Module) -> None:
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        done = 0
        while True:
            for layer in self.layers:
                X = layer(X)
                done += 1
            if done:
                return X
