"""step() switches autograd off, and does not switch it on again: afterwards nothing can be trained any more.

There is a way to switch it off for a few lines only.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        torch.set_grad_enabled(False)
        for param in self.params:
            if param.grad is not None:
                param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
