"""step() fails when a parameter has no gradient, as is so for one that the loss does not depend on. Such a
parameter should be left alone.

What is param.grad before the first backward?
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
