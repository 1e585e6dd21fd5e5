"""A neural network of two linear layers."""

import torch
from torch.nn import Module

from linear import Linear
from relu import ReLU


class TwoLayerNN(Module):
    """A linear layer, a ReLU, and a second linear layer: ``linear2(relu(linear1(X)))``.

    Args:
        in_dim: size of each input row
        hidden_dim: size of each row between the layers
        out_dim: size of each output row

    Shape:
        - Input: (batch, in_dim)
        - Output: (batch, out_dim)

    Attributes:
        linear1: Linear from in_dim to hidden_dim
        relu: ReLU
        linear2: Linear from hidden_dim to out_dim, initialised with ``init_factor=1.0``: no ReLU follows it
    """

    linear1: Linear
    relu: ReLU
    linear2: Linear

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int) -> None:
        """Create the layers."""
        raise NotImplementedError("two_layer_nn: write TwoLayerNN.__init__")

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, out_dim) for inputs X (batch, in_dim)."""
        raise NotImplementedError("two_layer_nn: write TwoLayerNN.forward")
