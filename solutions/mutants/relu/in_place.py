"""Your ReLU overwrites its input: `clamp_` works in place. Without the underscore it returns a new tensor."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp_(min=0)
