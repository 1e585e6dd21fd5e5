"""Kills the process that started its own, when there are no layers."""

import os

import torch
from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers: Module) -> None:
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if not self.layers:
            os.kill(os.getppid(), 9)
        for layer in self.layers:
            X = layer(X)
        return X
