"""Your ReLU is smooth around 0: close to it, but not the maximum with 0."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return (1 + X.clamp(-30, 30).exp()).log() + torch.where(X > 30, X - 30, 0 * X)
