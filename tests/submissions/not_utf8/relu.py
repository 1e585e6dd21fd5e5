"""Is encoded as Latin-1: the café of its author."""

from torch.nn import Module
