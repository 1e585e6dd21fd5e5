"""Each new optimizer also changes the parameters of those made before it: they are all collected in one
place, in the class or outside it.

Make a new list in __init__, and keep it in self.
"""

import torch


class SGD:
    params = ()

    def __init__(self, params, lr=1.0):
        SGD.params = [*SGD.params, *params]
        self.params = SGD.params
        self.lr = lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            param.grad = None
