"""Stands in for sgd.py where another question is judged: torch's own optimizer, with default rate 1."""

from collections.abc import Iterable

import torch


class SGD(torch.optim.SGD):
    """The optimizer of the contract."""

    def __init__(self, params: Iterable[torch.nn.Parameter], lr: float = 1.0) -> None:
        """Keep the parameters and the learning rate."""
        super().__init__(params, lr=lr)
