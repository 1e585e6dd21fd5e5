"""step() also clears the gradients, so that a second step does nothing. Clearing is the task of zero_grad.

Leave .grad as it is in step.
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
                    param.grad = None

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
