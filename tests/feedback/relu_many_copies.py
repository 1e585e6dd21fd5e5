"""relu: the result is there twice, as if broadcasting would take care of it."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(min=0).expand(2, *X.shape)
