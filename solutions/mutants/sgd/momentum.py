"""Your steps remember earlier gradients. A step should use the gradients of now only.

Look for what you keep from one step to the next.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr
        self.velocity = [torch.zeros_like(param) for param in self.params]

    def step(self):
        with torch.no_grad():
            for param, velocity in zip(self.params, self.velocity):
                if param.grad is not None:
                    velocity.mul_(0.5).add_(param.grad)
                    param -= self.lr * velocity

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
