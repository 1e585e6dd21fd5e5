"""What a Parameter looks like from beside the code that changes it."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter


class View:
    """A view of a Parameter's memory: it sees changes in place, and nothing else."""

    def __init__(self, parameter: Parameter) -> None:
        """Take the view."""
        self._view = parameter.detach().view(-1)

    def read(self) -> Tensor:
        """Return what the memory holds now, flat."""
        return self._view.clone()


def step_and_look(opt: Any, parameter: Parameter) -> dict[str, bool]:
    """Call `opt.step()`, then say what autograd thinks of the Parameter."""
    opt.step()
    return {
        "leaf": parameter.is_leaf,
        "requires_grad": parameter.requires_grad,
        "grad_enabled": torch.is_grad_enabled(),
        "result_tracked": (parameter * 2).requires_grad,
    }
