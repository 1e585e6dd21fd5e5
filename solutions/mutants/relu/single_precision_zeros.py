"""Your result is float32 where X is float16 or bfloat16: zeros of the default dtype make it wider. Give
them the dtype of X.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.maximum(X, torch.zeros(X.shape))
