"""relu: the values are right, with a dimension of size 1 too many."""

from torch.nn import Module


class ReLU(Module):
    def forward(self, X):
        return X.clamp(min=0).unsqueeze(-1)
