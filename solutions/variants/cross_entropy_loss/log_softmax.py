"""The log-softmax by hand: the largest logit is subtracted first, and `gather` picks the labels."""

from torch.nn import Module


class CrossEntropyLoss(Module):
    def __init__(self):
        super().__init__()

    @staticmethod
    def log_softmax(H):
        shifted = H - H.max(dim=1, keepdim=True).values.detach()
        return shifted - shifted.exp().sum(dim=1, keepdim=True).log()

    def forward(self, H, Y):
        picked = self.log_softmax(H).gather(1, Y.unsqueeze(1))
        return picked.sum().neg() / Y.shape[0]
