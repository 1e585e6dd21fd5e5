"""Gives each parameter that has a gradient new `.data`, instead of writing into it."""


class SGD:
    def __init__(self, params, lr=1.0):
        self.lr = lr
        self.params = []
        self.params.extend(params)

    def step(self):
        for p in [p for p in self.params if p.grad is not None]:
            p.data = p.data - self.lr * p.grad.data

    def zero_grad(self):
        for i in range(len(self.params)):
            self.params[i].grad = None
