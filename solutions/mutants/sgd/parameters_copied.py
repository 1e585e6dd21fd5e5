"""Neither step() nor zero_grad() reaches the parameters that your optimizer was given, as when it works on
copies of them.

Keep the very Parameters that you are given, and change those.
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = [param.clone().detach() for param in params]
        self.lr = lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
