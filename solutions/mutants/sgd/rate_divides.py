"""step() divides by the learning rate. A smaller rate should make smaller steps.

Look at the formula in the class's docstring.
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
                    param -= param.grad / self.lr

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
