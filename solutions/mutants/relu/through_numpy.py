"""No gradient flows through your ReLU: `detach`, `.data`, `no_grad` or a detour by numpy cuts the result
off from X. Use torch's operations on X itself.
"""

import numpy as np
import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.from_numpy(np.maximum(X.detach().double().numpy(), 0)).to(X.dtype)
