"""Stands in for cross_entropy_loss.py where another question is judged: torch's own loss."""

from torch.nn import CrossEntropyLoss

__all__ = ["CrossEntropyLoss"]
