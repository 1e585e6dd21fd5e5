"""two_layer_nn: a name is misspelled at the top of the file."""

from linear import Linaer
from relu import ReLU
from torch.nn import Module


class TwoLayerNN(Module):
    pass
