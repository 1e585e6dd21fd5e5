"""Your ReLU overwrites its input: an operation with an underscore like `clamp_`, or assigning to
`X[X < 0]`, changes X itself. Make a new tensor instead.
"""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp_(min=0)
