"""No gradient flows through your ReLU: numpy knows nothing of the graph. Use torch's operations
throughout.
"""

import numpy as np
import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return torch.from_numpy(np.maximum(X.detach().double().numpy(), 0)).to(X.dtype)
