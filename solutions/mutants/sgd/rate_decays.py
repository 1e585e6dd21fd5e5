"""Your learning rate becomes smaller with each step. It should stay what it was given as.

Look for what changes it from one step to the next.
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
        self.lr *= 0.99

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
