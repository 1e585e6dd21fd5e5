"""Is right, and starts a process that outlives it."""

import os
import time

import torch
from torch.nn import Module

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(10_000)
    os._exit(0)


class ReLU(Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.clamp(min=0)
