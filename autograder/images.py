"""`autograder bundle docker`: lays out what the image is built of, and has Docker or Podman build and tag it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import bundles, containers
from .config import Homework
from .errors import ConfigError, IsolationError

DOCKERFILE = Path(__file__).parent / "templates" / "docker" / "Dockerfile"
LINES = 15  # of a failed build's output that are worth showing


@dataclass(frozen=True)
class Options:
    """What can be chosen of an image; an empty text is the default.

    Attributes:
        base: the image to start from, with Python and its venv; the Dockerfile names one.
        torch_index: where pip finds torch, such as PyTorch's own index of builds for the CPU.
        wheelhouse: a folder of wheels to install from; building then needs no network.
        tag: what the image is called.
    """

    base: str = ""
    torch_index: str = ""
    wheelhouse: Path | None = None
    tag: str = ""


@dataclass(frozen=True)
class Built:
    """An image that has been built: its name, by which engine, and its size."""

    tag: str
    engine: str
    megabytes: int


def build(homework: Homework | None, options: Options, folder: Path | None = None) -> Built:
    """Build and tag the image.

    Args:
        homework: what it requires is installed too; nothing of its own goes into the image.
        options: what to build.
        folder: where what it is built of is laid out and kept; a temporary folder if None.

    Raises:
        ConfigError: the wheelhouse has no wheels, the folder holds something else, or the build fails.
        IsolationError: no container engine answers.
    """
    engine = containers.find()
    with _context(folder) as context:
        lay_out(homework, options, context)
        tags = [options.tag] if options.tag else [containers.default_image(), containers.LATEST]
        run(command(engine, tags, options, context))
    return Built(tags[0], engine, size(engine, tags[0]))


def lay_out(homework: Homework | None, options: Options, context: Path) -> None:
    """Write what an image is built of: the Dockerfile, the engine, what it requires, and wheels if there are any.

    Raises:
        ConfigError: the wheelhouse has no wheels, or the folder holds something else.
    """
    if context.exists() and any(context.iterdir()) and not (context / DOCKERFILE.name).is_file():
        raise ConfigError(f"{context} holds something else: name a new folder")
    wheels = sorted(options.wheelhouse.glob("*.whl")) if options.wheelhouse else []
    if options.wheelhouse and not wheels:
        raise ConfigError(f"{options.wheelhouse} has no wheels: fill it with `pip download`")
    name, engine = bundles.engine_wheel()
    for part in ("engine", "wheels"):
        shutil.rmtree(context / part, ignore_errors=True)
        (context / part).mkdir(parents=True)
    for wheel in wheels:
        shutil.copyfile(wheel, context / "wheels" / wheel.name)
    shutil.copyfile(DOCKERFILE, context / DOCKERFILE.name)
    (context / "engine" / name).write_bytes(engine)
    (context / "requirements.txt").write_text(_lines(bundles.requirements(homework)), encoding="utf-8")
    (context / "constraints.txt").write_text(_lines(bundles.pins(homework)), encoding="utf-8")


def command(engine: str, tags: Sequence[str], options: Options, context: Path) -> list[str]:
    """The command that builds an image."""
    chosen = {"BASE": options.base, "TORCH_INDEX": options.torch_index}
    arguments = [f"--build-arg={name}={value}" for name, value in chosen.items() if value]
    network = ["--network=none"] if options.wheelhouse else []
    return [engine, "build", *(f"--tag={tag}" for tag in tags), *network, *arguments, str(context)]


def run(words: Sequence[str]) -> None:
    """Run a build to its end.

    Raises:
        ConfigError: it fails; has the last lines of what it printed.
    """
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-LINES:]
        raise ConfigError("\n".join(["the image cannot be built:", *last]))


def size(engine: str, tag: str) -> int:
    """An image's size in megabytes, all layers together."""
    words = [engine, "image", "inspect", "--format={{.Size}}", tag]
    shown = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if shown.returncode != 0 or not shown.stdout.strip().isdigit():
        raise IsolationError(f"{engine} does not find the image {tag} that it has built")
    return round(int(shown.stdout) / 1e6)


@contextlib.contextmanager
def _context(folder: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one for the time being."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="autograder-image-") as temporary:
        yield Path(temporary)


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
