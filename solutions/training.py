"""Training: the 0-1 loss, and one pass over the data."""

from typing import Any

import torch
from torch.nn import Module

# BEGIN SOLUTION prompt: epoch needs your loss; add here: from cross_entropy_loss import CrossEntropyLoss
from cross_entropy_loss import CrossEntropyLoss

# END SOLUTION


def loss_01(H: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Return the 0-1 loss: the fraction of rows whose largest logit is not at the label.

    Shape:
        - H: logits (batch, classes)
        - Y: labels (batch), int64
        - Returns: 0-dimensional, floating
    """
    # BEGIN SOLUTION
    return (H.argmax(dim=1) != Y).float().mean()
    # END SOLUTION


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
    # BEGIN SOLUTION
    loss_function = CrossEntropyLoss()
    batches = list(zip(X_full.split(batch_size), Y_full.split(batch_size), strict=True))
    total_err, total_loss = 0.0, 0.0
    for X, Y in batches:
        H = model(X)  # (batch, classes)
        loss = loss_function(H, Y)
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            opt.step()
        total_err += loss_01(H, Y).item()
        total_loss += loss.item()
    return total_err / len(batches), total_loss / len(batches)
    # END SOLUTION
