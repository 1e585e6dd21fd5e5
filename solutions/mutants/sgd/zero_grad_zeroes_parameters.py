"""zero_grad() sets the parameters themselves to zero: everything that was learned is lost.

Look at which tensors you change: only gradients should become zero.
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
            param.data.zero_()
            param.grad = None
