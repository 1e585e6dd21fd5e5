"""Your optimizer fails when params is a generator, as model.parameters() is: it has no length, and its
entries have no positions.

Make a list of it first.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = [params[i] for i in range(len(params))]
        self.lr = lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
