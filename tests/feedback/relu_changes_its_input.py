"""relu: works in place, in a way that no mutant does: only where there is no gradient to lose."""

import torch
from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        print("input of shape", tuple(X.shape))
        if X.requires_grad:
            return X.clamp(min=0)
        X[X < -0.25] = 0
        return X.clamp(min=0)
