"""No gradient flows through your ReLU: `detach` cuts the result off from X."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.detach().clamp(min=0)
