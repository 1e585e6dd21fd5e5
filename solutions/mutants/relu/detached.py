"""No gradient flows through your ReLU: `detach`, `.data`, `no_grad` or a detour by numpy cuts the result
off from X. Use torch's operations on X itself.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.detach().clamp(min=0)
