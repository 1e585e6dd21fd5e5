"""Reads memory that is not there when a gradient is not a number: the interpreter crashes."""

import ctypes


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
                    ctypes.string_at(0)
                p.grad.zero_()
