"""Initial weights."""

import math

import torch


def scaled_normal(rows, columns, factor):
    return torch.empty(rows, columns).normal_(mean=0.0, std=math.sqrt(factor / rows))
