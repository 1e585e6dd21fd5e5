"""Your step limits the size of the gradient. A large gradient should count in full.

Compare step with the formula in the class's docstring.
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
                    param -= self.lr * param.grad.clamp(-1, 1)

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
