"""Training and evaluation where the student's code lives, so that images cross with a byte a pixel."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _floats(images: Tensor) -> Tensor:
    return images.float().div_(255)


def train(epoch: Callable[..., Any], model: Any, opt: Any, images: Tensor, labels: Tensor) -> None:
    """Go over some images once, in batches of 100."""
    epoch(model, _floats(images), labels, opt)


def logits(model: Any, images: Tensor, batch_size: int = 1000) -> Tensor:
    """Return the model's outputs for all images."""
    with torch.no_grad():
        return torch.cat([model(_floats(batch)) for batch in images.split(batch_size)])
