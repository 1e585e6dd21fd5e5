"""Each step starts from the values that the parameters had when the optimizer was created, so that only the
last step counts.

A step starts from where the parameters are now.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr
        self.start = [param.detach().clone() for param in self.params]

    def step(self):
        with torch.no_grad():
            for param, start in zip(self.params, self.start):
                if param.grad is not None:
                    param.copy_(start - self.lr * param.grad)

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
