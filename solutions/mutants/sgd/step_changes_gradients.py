"""step() changes the gradients, for example by multiplying them by the learning rate in place, so that a
second step would use other ones.

Compute the update in a new tensor.
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
                    param.grad *= self.lr
                    param -= param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
