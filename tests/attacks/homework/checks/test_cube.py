"""Hidden check of cube.py, which every attack hands in right."""

import torch


def test_value(hw):
    """The third power of 2 is 8."""
    assert hw.cube(torch.tensor([2.0])).item() == 8.0
