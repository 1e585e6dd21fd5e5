"""Public checks of cube.py."""

import torch


def test_example(hw):
    """The third power of -2 is -8."""
    assert hw.cube(torch.tensor(-2.0)).item() == -8.0
