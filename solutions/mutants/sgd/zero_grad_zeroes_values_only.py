"""zero_grad() sets the parameters themselves to zero and leaves their gradients. It should be the other way round.

Which attribute of a parameter has its gradient?
"""

import torch


class SGD:
    def __init__(self, params, lr=1.0):
        self.params, self.lr = list(params), lr

    def step(self):
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            param.data.zero_()
