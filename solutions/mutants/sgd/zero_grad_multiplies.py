"""zero_grad() computes zeros from the old gradients, for example by multiplying them by 0. A gradient that is
inf or nan becomes nan, and stays so for good.

Set the gradients; don't compute them from what they were.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad *= 0
