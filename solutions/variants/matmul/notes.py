"""As in the course notes: the context keeps both factors, and the backward transposes with `.T`."""

from torch.autograd import Function


class MatMul(Function):
    @staticmethod
    def forward(context, X, Y):
        context.save_for_backward(X, Y)
        return X @ Y

    @staticmethod
    def backward(context, grad):
        X, Y = context.saved_tensors
        return grad @ Y.T, X.T @ grad
