"""Public checks of square.py."""

import torch


def test_example(hw):
    """The square of 3 is 9, and of -2 it is 4."""
    came = hw.square(torch.tensor([3.0, -2.0])).tolist()
    assert came == [9.0, 4.0], f"the squares of 3 and -2 are 9 and 4; {came} came"
