"""Hidden checks of both answers together."""

import torch


def test_cube_of_the_square(hw):
    """The third power of the square is the sixth power."""
    assert hw.cube(hw.square(torch.tensor(2.0))).item() == 64.0
