"""Shifts the logits by their maximum, and picks the right class with rows of the identity matrix."""

import torch


class CrossEntropyLoss(torch.nn.Module):
    def forward(self, H, Y):
        one_hot = torch.eye(H.shape[1], dtype=H.dtype)[Y]
        shifted = H - H.max(dim=1, keepdim=True)[0].detach()
        log_p = shifted - torch.log(torch.sum(torch.exp(shifted), 1, keepdim=True))
        return -torch.sum(log_p * one_hot) / H.size(0)
