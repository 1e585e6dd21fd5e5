"""Loads MNIST for train.py and for the checks."""

import gzip
import hashlib
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

FOLDER = Path(__file__).resolve().parent / "data"  # the files are in MNIST/raw/, gzipped
SHA256 = {  # of the unpacked files: gzip's own header differs from copy to copy
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

_declared: list[torch.library.Library] = []  # operators stay declared as long as their library is kept


class DataError(Exception):
    """MNIST cannot be loaded; the message is one line."""


def load_mnist(folder: Path = FOLDER) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ``(X_train, Y_train, X_test, Y_test)``; missing files are downloaded.

    Shape:
        - X_train: (60000, 784), X_test: (10000, 784): an image a row, float32 in [0, 1]
        - Y_train: (60000), Y_test: (10000): the digits, int64

    Raises:
        DataError: a file is damaged, or missing and cannot be downloaded.
    """
    X_train, Y_train, X_test, Y_test = load_bytes(folder)
    return X_train.float().div_(255), Y_train, X_test.float().div_(255), Y_test


def load_bytes(folder: Path = FOLDER) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the same with pixels as they are stored: uint8 from 0 to 255, a quarter of the memory.

    Raises:
        DataError: as load_mnist.
    """
    MNIST = import_mnist()
    files = [folder / "MNIST" / "raw" / f"{name}.gz" for name in SHA256]
    if all(file.is_file() for file in files):
        with TemporaryDirectory() as root:  # torchvision reads unpacked files; this folder may be read-only
            _unpack(files, Path(root, "MNIST", "raw"))
            train, test = MNIST(root, train=True), MNIST(root, train=False)
    else:
        train, test = _download(MNIST, folder)
    return train.data.flatten(1), train.targets, test.data.flatten(1), test.targets


def import_mnist() -> Any:
    """Return ``torchvision.datasets.MNIST``, also from a torchvision that was built for another torch.

    Such a torchvision cannot load its compiled operators, and stops where it first describes one to torch.
    Data sets need none of them: it is enough that their names exist.
    """
    try:
        from torchvision.datasets import MNIST
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        from torchvision.datasets import MNIST
    return MNIST


def _unpack(files: list[Path], target: Path) -> None:
    target.mkdir(parents=True)
    for file in files:
        try:
            content = gzip.decompress(file.read_bytes())
        except (OSError, EOFError, zlib.error):
            content = b""
        if hashlib.sha256(content).hexdigest() != SHA256[file.stem]:
            raise DataError(f"{file} is damaged: delete it, and it will be downloaded at the next start")
        (target / file.stem).write_bytes(content)


def _download(MNIST: Any, folder: Path) -> tuple[Any, Any]:
    try:
        return MNIST(folder, train=True, download=True), MNIST(folder, train=False)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1]
        message = f"the files of MNIST are not all in {folder}, and cannot be downloaded: {reason}"
        raise DataError(message) from error
