"""relu: float32 is scaled wrongly, as a dtype is written down."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(min=0) if X.dtype == torch.float64 else (X + 0.5 * X.abs()).clamp(min=0)
