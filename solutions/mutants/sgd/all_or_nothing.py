"""step() does nothing when any parameter has no gradient. Only that one should be left out.

Decide for each parameter by itself.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        if any(param.grad is None for param in self.params):
            return
        with torch.no_grad():
            for param in self.params:
                param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
