"""A base class runs the layers by name; this one creates them, with every argument by keyword."""

import torch.nn as nn

import linear
import relu


class Chain(nn.Module):
    order = ()

    def forward(self, X):
        for name in self.order:
            X = getattr(self, name)(X)
        return X


class TwoLayerNN(Chain):
    order = ("linear1", "relu", "linear2")

    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.add_module("relu", relu.ReLU())
        self.add_module("linear1", linear.Linear(in_dim=in_dim, out_dim=hidden_dim, bias=True))
        self.add_module("linear2", linear.Linear(in_dim=hidden_dim, out_dim=out_dim, init_factor=1))
