"""two_layer_nn: not valid Python."""

from torch.nn import Module


class TwoLayerNN(Module)
    pass
