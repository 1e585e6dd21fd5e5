"""Docker or Podman: which of them answers, which image it has, and how a container for one submission is run."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from . import __version__
from .errors import IsolationError

ENGINES = ("docker", "podman")
ENGINE, IMAGE = "AUTOGRADER_ENGINE", "AUTOGRADER_IMAGE"  # environment variables that choose
LATEST = "torch-autograder:latest"  # what else `autograder bundle docker` calls it, for whoever runs it by hand
ANSWER_SECONDS = 60
USER = 10001  # in containers; a user of the machine's own would share its limit of processes
ZYGOTE_MB = 1024  # what the relay, the zygote and a worker that waits may need besides the worker in use
SCRATCH_MB = 16  # of temporary files, which nothing needs
PROCESSES = 512  # more than a worker may start, so that its own limit is met first
PROCESSORS = 2  # one for the worker, one for what talks to it


@dataclass(frozen=True)
class Chosen:
    """An engine that answers, and an image that it has.

    Attributes:
        engine: its program.
        image: as it was named.
        identity: what the name stood for when this was chosen.
    """

    engine: str
    image: str
    identity: str


def prefer(engine: str | None = None, image: str = "") -> None:
    """Choose for this process and those that it starts."""
    for name, value in ((ENGINE, engine), (IMAGE, image)):
        if value:
            os.environ[name] = value


def default_image() -> str:
    """The image that `autograder bundle docker` makes, and `grade` looks for: of this version."""
    return f"torch-autograder:{__version__}"


def answers(engine: str) -> str:
    """Why an engine cannot be used; empty if it answers."""
    if not shutil.which(engine):
        return "not installed"
    done = _run([engine, "version"])
    if isinstance(done, str):
        return done
    return "" if done.returncode == 0 else _last_line(done.stderr) or f"exit status {done.returncode}"


def find() -> str:
    """The engine to use: the one that the environment names, or else the first that answers.

    Raises:
        IsolationError: none does; says why not.
    """
    wanted = os.environ.get(ENGINE, "")
    if wanted and wanted not in ENGINES:
        raise IsolationError(f"there is no container engine {wanted!r}; there are {' and '.join(ENGINES)}")
    reasons = {}
    for name in [wanted] if wanted else ENGINES:
        reasons[name] = answers(name)
        if not reasons[name]:
            return name
    listed = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    raise IsolationError(f"no container engine runs here ({listed}); start one, or use --isolation sandbox")


@functools.cache
def choose() -> Chosen:
    """The engine and the image of this run; asked once, so that all its submissions meet the same.

    Raises:
        IsolationError: there is none.
    """
    engine, image = find(), os.environ.get(IMAGE) or default_image()
    done = _run([engine, "image", "inspect", "--format={{.Id}}", image])
    if isinstance(done, str):
        raise IsolationError(done)
    if done.returncode != 0 or not done.stdout.strip():
        raise IsolationError(f"{engine} has no image {image}; make it with: autograder bundle docker")
    return Chosen(engine, image, done.stdout.strip())


def command(chosen: Chosen, name: str, memory_mb: int, program: Sequence[str]) -> list[str]:
    """The command that runs a program in a container, with its standard streams, and removes it afterwards.

    Args:
        chosen: from `choose`.
        name: the container's.
        memory_mb: what one worker may use.
        program: and its arguments.
    """
    memory = f"{memory_mb + ZYGOTE_MB}m"
    return [
        *(chosen.engine, "run", "--rm", "--interactive", f"--name={name}", "--pull=never", "--log-driver=none"),
        *("--network=none", "--ipc=none", "--read-only", f"--tmpfs=/tmp:rw,noexec,nosuid,nodev,size={SCRATCH_MB}m"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", f"--user={USER}:{USER}", "--hostname=worker"),
        *(f"--memory={memory}", f"--memory-swap={memory}", f"--pids-limit={PROCESSES}", f"--cpus={_processors()}"),
        *("--init=false", "--entrypoint=", "--workdir=/", chosen.identity, *program),
    ]


def _processors() -> int:
    return max(1, min(PROCESSORS, os.cpu_count() or 1))


def _run(words: list[str]) -> subprocess.CompletedProcess[str] | str:
    """Run a command to its end, or say in a line why that cannot be."""
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except OSError as error:
        return f"{words[0]} cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"{words[0]} does not answer within {ANSWER_SECONDS} seconds"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
