"""Flattens the leading dimensions for addmm, fills the weights in place, and registers a missing bias."""

import math

import torch


class Linear(torch.nn.Module):
    def __init__(self, in_dim, out_dim, bias=True, init_factor=2.0):
        super().__init__()
        self.in_dim, self.out_dim = in_dim, out_dim
        self.weight = torch.nn.Parameter(torch.empty(in_dim, out_dim))
        if bias:
            self.bias = torch.nn.Parameter(torch.empty(out_dim))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters(init_factor)

    @torch.no_grad()
    def reset_parameters(self, init_factor):
        self.weight.normal_(mean=0.0, std=math.sqrt(init_factor / self.in_dim))
        if self.bias is not None:
            self.bias.zero_()

    def forward(self, X):
        rows = X.reshape(-1, self.in_dim)
        Z = rows.mm(self.weight) if self.bias is None else torch.addmm(self.bias, rows, self.weight)
        return Z.view((*X.shape[:-1], self.out_dim))
