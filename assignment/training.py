"""Training: the 0-1 loss, and one pass over the data."""

from typing import Any

import torch
from torch.nn import Module

# epoch needs your loss; add here: from cross_entropy_loss import CrossEntropyLoss


def loss_01(H: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Return the 0-1 loss: the fraction of rows whose largest logit is not at the label.

    Shape:
        - H: logits (batch, classes)
        - Y: labels (batch), int64
        - Returns: 0-dimensional, floating
    """
    raise NotImplementedError("training: write loss_01")


def epoch(
    model: Module, X_full: torch.Tensor, Y_full: torch.Tensor, opt: Any = None, batch_size: int = 100
) -> tuple[float, float]:
    """Go once through the data, batch by batch and in order, and train the model if there is an ``opt``.

    Each batch trains with its own gradients only: those left over from before do not count.

    Args:
        model: maps inputs (batch, in_dim) to logits (batch, classes)
        X_full: all inputs (examples, in_dim)
        Y_full: all labels (examples), int64
        opt: the optimizer, for example an SGD; without it, the model is evaluated and nothing is changed
        batch_size: examples in a batch; the last batch may be smaller

    Returns:
        ``(mean_err, mean_loss)``, two floats: the 0-1 loss and the cross-entropy loss, each averaged over the
        BATCHES. A smaller last batch counts as much as any other.
    """
    raise NotImplementedError("training: write epoch")
