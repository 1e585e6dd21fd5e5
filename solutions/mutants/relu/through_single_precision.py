"""Your ReLU goes through float32: double entries lose half of their digits. Leave the dtype as it is."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.float().clamp(min=0).to(X.dtype)
