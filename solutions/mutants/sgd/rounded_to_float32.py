"""Your step loses digits: parameters in double precision (float64) keep only half of theirs, as after a
conversion to float32.

Leave the dtype as it is.
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
                    param.copy_(param.float() - self.lr * param.grad.float())

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
