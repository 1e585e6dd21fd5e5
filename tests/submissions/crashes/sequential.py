"""Reads memory that is not there, when there are no layers: the interpreter crashes."""

import ctypes

import torch
from torch.nn import Module, ModuleList


class Sequential(Module):
    def __init__(self, *layers: Module) -> None:
        super().__init__()
        self.layers = ModuleList(layers)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if not self.layers:
            ctypes.string_at(0)
        for layer in self.layers:
            X = layer(X)
        return X
