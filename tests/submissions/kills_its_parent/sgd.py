"""Kills the process that started its own when a gradient is not a number."""

import os
import time


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
                if p.grad.isnan().any():
                    os.kill(os.getppid(), 9)
                    time.sleep(60)
                p.grad.zero_()
