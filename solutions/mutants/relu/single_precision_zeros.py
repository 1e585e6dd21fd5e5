"""Your result is float32 where X is float16 or bfloat16: a tensor of the default dtype, such as zeros or a
mask, makes it wider. Give it the dtype of X.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.maximum(X, torch.zeros(X.shape))
