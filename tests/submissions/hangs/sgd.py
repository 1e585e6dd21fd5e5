"""Never comes to an end when a gradient is not a number."""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                while p.grad.isnan().any():
                    p.grad = p.grad * 0
                p.grad.zero_()
