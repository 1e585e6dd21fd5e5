"""MNIST as no one has seen it: everyone can have memorised the labels, or trained weights, of the public data.

Under the homework's secret salt, pixels are permuted, samples are put into another order, classes get other numbers,
and each image is dimmed and covered with noise. A network that is trained on these images hardly notices: its accuracy
loses about half a percent. Weights that were trained before are at chance; so is a label that is looked up by an
image's place, its hash, or the nearest image with sorted pixels.
"""

import hashlib

import torch
from torch import Tensor

DARKEST, NOISE = 0.6, 32  # the least of its brightness that an image keeps; most that noise adds, in grey levels of 255
AT_A_TIME = 1000  # images; as floats, all at once would take 190 MB


def salted(salt: str, part: str, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return images and labels as the salt has them; the same ones for the same salt, on every machine.

    Args:
        salt: the homework's secret.
        part: `train` or `test`; their pixels and classes are permuted alike.
        images: (n, pixels), uint8.
        labels: (n), from 0 to 9.
    """
    pixels = torch.randperm(images.shape[1], generator=_generator(salt, "pixels"))
    classes = torch.randperm(10, generator=_generator(salt, "classes"))
    generator = _generator(salt, part)
    order = torch.randperm(len(images), generator=generator)
    found = torch.empty_like(images)
    for rows, target in zip(order.split(AT_A_TIME), found.split(AT_A_TIME), strict=True):
        kept = DARKEST + (1 - DARKEST) * torch.rand(len(rows), 1, generator=generator)
        chosen = images[rows][:, pixels] * kept
        target.copy_((chosen + NOISE * torch.rand(chosen.shape, generator=generator)).clamp_(max=255))
    return found, classes[labels[order]]


def _generator(salt: str, purpose: str) -> torch.Generator:
    digest = hashlib.sha256(f"{salt}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))
