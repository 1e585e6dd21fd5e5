"""Stands in for sequential.py where another question is judged: torch's own container."""

from torch import Tensor, nn


class Sequential(nn.Module):
    """The container of the contract."""

    def __init__(self, *layers: nn.Module) -> None:
        """Keep the layers."""
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, X: Tensor) -> Tensor:
        """Return the output of the last layer."""
        return nn.Sequential(*self.layers)(X)
