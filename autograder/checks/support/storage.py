"""What autograd thinks of a Parameter, from beside the code that changes it."""

from typing import Any

import torch
from torch.nn import Parameter


def step_and_look(opt: Any, parameter: Parameter) -> dict[str, bool]:
    """Call `opt.step()`, then say what autograd thinks of the Parameter."""
    opt.step()
    return {
        "leaf": parameter.is_leaf,
        "requires_grad": parameter.requires_grad,
        "grad_enabled": torch.is_grad_enabled(),
        "result_tracked": (parameter * 2).requires_grad,
    }
