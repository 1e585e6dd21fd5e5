"""Is right, with a helper module of the student's own."""

from layers_of_mine import Elementwise, positive_part


class ReLU(Elementwise):
    function = staticmethod(positive_part)
