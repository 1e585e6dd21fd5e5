"""Is right, and starts processes that outlive it."""

import os
import time

import torch
from torch.nn import Module


def stay() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(10_000)
        os._exit(0)


class ReLU(Module):
    def __init__(self) -> None:
        super().__init__()
        stay()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.clamp(min=0)
