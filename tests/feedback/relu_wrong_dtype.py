"""relu: the values are right, the dtype is not."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(min=0).to(torch.float64 if X.dtype == torch.float32 else torch.float32)
