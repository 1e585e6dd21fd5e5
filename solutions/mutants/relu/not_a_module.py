"""Your ReLU is not a Module: a network cannot hold it among its layers. Derive it from `Module`, and name
the method `forward`.
"""

import torch
from torch.nn import Module


class ReLU:
    def __call__(self, X):
        return X.clamp(min=0)
