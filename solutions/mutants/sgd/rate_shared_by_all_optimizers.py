"""All your optimizers use the learning rate of the one that was created last, because it is kept in one place
for all, in the class or outside it.

Keep it in self.
"""

import torch


class SGD:
    lr = 1.0

    def __init__(self, params, lr=1.0):
        self.params = list(params)
        SGD.lr = lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
