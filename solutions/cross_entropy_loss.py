"""The cross-entropy loss of logits."""

import torch
from torch.nn import Module


class CrossEntropyLoss(Module):
    """Average over a batch of minus the log-probability that softmax gives to the right class.

    ``loss = mean over i of ( log(sum over j of exp(H[i, j])) - H[i, Y[i]] )``

    Shape:
        - H: logits (batch, classes), batch at least 1
        - Y: labels (batch), int64, each in 0 ... classes - 1
        - Output: 0-dimensional

    Logits may be as large as 10,000, where ``exp`` overflows: ``torch.logsumexp`` does not.

    Example:
        >>> CrossEntropyLoss()(torch.zeros(3, 10), torch.tensor([1, 5, 9]))  # log(10)
        tensor(2.3026)
    """

    def forward(self, H: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of logits H (batch, classes) for labels Y (batch)."""
        # BEGIN SOLUTION
        right = H[torch.arange(len(Y)), Y]  # (batch)
        return (H.logsumexp(dim=1) - right).mean()
        # END SOLUTION
