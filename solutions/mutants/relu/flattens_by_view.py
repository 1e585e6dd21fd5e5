"""Your ReLU fails for an X that does not lie in memory row after row, as a transposed one: `view` needs
that. There is no need to flatten X at all.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.view(-1).clamp(min=0).view(X.shape)
