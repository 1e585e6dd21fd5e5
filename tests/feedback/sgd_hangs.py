"""sgd: zero_grad never ends."""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params, self.lr = list(params), lr

    def step(self):
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    p -= self.lr * p.grad

    def zero_grad(self):
        i = 0
        while i < len(self.params):
            self.params[i].grad = None
