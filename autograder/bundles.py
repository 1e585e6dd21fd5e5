"""What every bundle carries: the engine as a wheel, the homework's own files, and zips that are the same byte by byte.

`handout`, `gradescope`, `otter` and `images` make their own kind of bundle of it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from . import __version__
from .config import Homework
from .errors import ConfigError

DISTRIBUTION = "torch-autograder"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
PACKED = (".whl", ".gz", ".zip", ".png")  # small already
HOMEWORK_CHECKS = "checks"  # hidden checks that lie in the engine's own folder belong to a homework
NOT_GRADED_WITH = ("mutants", "variants", "caught.json", "equivalent.toml")  # below the solution


@dataclass(frozen=True)
class Entry:
    """One file of a bundle."""

    content: bytes
    executable: bool = False


def zip_bytes(files: Mapping[str, Entry | bytes]) -> bytes:
    """A zip that depends on names and contents only: sorted, with one fixed time and mode.

    Args:
        files: by path in the zip, with forward slashes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = files[name]
            entry = Entry(entry) if isinstance(entry, bytes) else entry
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3  # Unix, wherever it is made: the mode below counts
            info.external_attr = (stat.S_IFREG | (0o755 if entry.executable else 0o644)) << 16
            packed = name.endswith(PACKED)
            info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.content)
    return buffer.getvalue()


def write(path: Path, content: bytes) -> Path:
    """Write a bundle, whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as beside:
            beside.write(content)
        Path(beside.name).chmod(0o644)
        Path(beside.name).replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    return path


def files_below(folder: Path, without: Iterable[str] = ()) -> dict[str, bytes]:
    """The files below a folder, by their path in it; not hidden ones, nor what Python and pytest leave behind.

    Args:
        folder: where they are.
        without: names of folders and files, directly in it, to leave out.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        left_out = parts[0] in without or any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not left_out:
            found["/".join(parts)] = path.read_bytes()
    return found


def homework_files(homework: Homework) -> dict[str, bytes]:
    """What grading a homework takes, by path below its root: configuration, public files, solution, checks, data.

    Raises:
        ConfigError: a file that the configuration names is not below the root.
    """
    found = {"pyproject.toml": homework.path("pyproject.toml").read_bytes()}
    folders = {
        homework.assignment: (),
        homework.solutions: NOT_GRADED_WITH,
        homework.public_checks: (),
        homework.hidden_checks: (),
    }
    for folder, without in folders.items():
        for name, content in files_below(homework.path(folder), without).items():
            found[f"{folder}/{name}"] = content
    for name in (homework.calibration, homework.waivers, *homework.data):
        path = homework.path(name)
        found |= {f"{name}/{below}": content for below, content in files_below(path).items()} if path.is_dir() else {}
        found |= {name: path.read_bytes()} if path.is_file() else {}
    outside = [name for name in found if name.startswith(("/", "../")) or "/../" in name]
    if outside:
        raise ConfigError(f"{outside[0]} is not below {homework.root}: what is bundled must be")
    return found


def engine_wheel() -> tuple[str, bytes]:
    """The installed engine as a wheel: its file name, and its content, the same for the same engine.

    The homework's hidden checks are not in it, although they may lie in the engine's folder.

    Source:
        Python packaging specifications, "Binary distribution format" and "Recording installed projects".
    """
    installed = importlib.metadata.distribution(DISTRIBUTION)
    package = {
        f"autograder/{name}": content for name, content in files_below(Path(__file__).parent, [HOMEWORK_CHECKS]).items()
    }
    name = f"{DISTRIBUTION.replace('-', '_')}-{__version__}"
    tag = "Wheel-Version: 1.0\nGenerator: torch-autograder\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    info = {
        "METADATA": (installed.read_text("METADATA") or installed.read_text("PKG-INFO") or "").encode(),
        "WHEEL": tag.encode(),
        "entry_points.txt": b"[console_scripts]\nautograder = autograder.cli:main\n",
    }
    files = {**package, **{f"{name}.dist-info/{file}": content for file, content in info.items()}}
    record = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in sorted(files.items())]
    record.append(f"{name}.dist-info/RECORD,,")
    files[f"{name}.dist-info/RECORD"] = ("\n".join(record) + "\n").encode()
    return f"{name}-py3-none-any.whl", zip_bytes(dict(files))


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def pins(homework: Homework | None = None) -> list[str]:
    """All that `requirements` stand on, each at the version that is installed here.

    Raises:
        ConfigError: something that the homework requires is not installed.
    """
    found: dict[str, str] = {}
    waiting = [Requirement(line) for line in requirements(homework)]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        try:
            installed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise ConfigError(f"{wanted.name} is not installed, so that it cannot be pinned") from None
        found[name] = Version(installed.version).public  # torch's +cpu is said by the index
        waiting += [Requirement(line) for line in installed.requires or []]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def wheels(folder: Path) -> dict[str, bytes]:
    """The wheels of a folder, as a bundle carries them.

    Raises:
        ConfigError: there are none.
    """
    found = {f"wheels/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.whl"))}
    if not found:
        raise ConfigError(f"{folder} has no wheels: fill it with `pip download --dest {folder} ...`")
    return found


def requirements(homework: Homework | None = None) -> list[str]:
    """What grading needs besides the engine itself: the engine's own requirements and the homework's."""
    named = importlib.metadata.requires(DISTRIBUTION) or []
    return [line for line in named if "extra ==" not in line] + list(homework.requirements if homework else ())
