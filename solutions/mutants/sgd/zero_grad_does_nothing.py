"""zero_grad() leaves the gradients as they were, so that they add up from batch to batch.

It has to change the .grad of every parameter itself: to give a new value to a local variable does nothing.
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
            grad = param.grad
            if grad is not None:
                grad = torch.zeros_like(grad)
