"""Your ReLU overwrites its input: assigning to `X[X < 0]` changes X itself, which the caller may still
need.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        Z = X.clone() if X.requires_grad else X
        Z[Z < 0] = 0
        return Z
