"""Runs test suites in Docker containers such as graders run in: root without privileges, and an ordinary user.

Then it has the image of `--isolation container` built, and runs the tests beside this file with Docker, and with Podman
where there is one. No image registry is needed: the base image is made with debootstrap, and Python packages are wheels that pip fetches
outside. Both kinds of container are without a network.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TESTS = [f"tests/test_{name}.py" for name in ("confine", "sandbox", "wire", "subject", "attacks", "faults")]
IMAGE = "torch-autograder-tests"
GRADE = "grade"  # the tests with the grader outside, and containers of the image that the project builds
PODMAN_CONF = "[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = 'cgroupfs'\nevents_logger = 'file'\n"
PODMAN_FILES = {"CONF": "containers.conf", "STORAGE_CONF": "storage.conf"}
PODMAN_STORAGE = '[storage]\ndriver = "overlay"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
PYTHON = "3.11"  # Debian 12's
DEBOOTSTRAP = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm"]


@dataclass(frozen=True)
class Kind:
    """A kind of container: its options for `docker create`, and the layers that must be in force in it."""

    options: tuple[str, ...]
    layers: tuple[str, ...]


KINDS = {
    "root": Kind((), ("process", "limits", "undumpable", "user", "seccomp")),
    "user": Kind(
        ("--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        ("process", "limits", "undumpable", "seccomp"),
    ),
}


class Impossible(Exception):
    """This machine cannot run the containers; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites in each kind of container; returns the exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    os.environ["DOCKER_BUILDKIT"] = "0"  # BuildKit is not part of every client
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # not on every root's path
    try:
        if sys.platform != "linux":
            raise Impossible("containers need Linux")
        files = checkout()
        with locked(options.cache), engine(options):
            base = options.base or base_image(options.cache)
            run(["docker", "run", "--rm", "--network=none", base, "true"])
            runner = Runner(test_image(base, options.cache), files, options.seconds)
            kinds = options.kind or [*KINDS, GRADE]
            failed = [name for name in kinds if name in KINDS and not runner.passes(name, options.pytest)]
            if GRADE in kinds and not graded(base, options):
                failed.append(GRADE)
    except Impossible as reason:
        print(f"skipped: {reason}", flush=True)
        return int(options.strict)
    for name in failed:
        print(f"failed in the container of kind {name}", flush=True)
    return int(bool(failed))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "torch-autograder")
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="pip's own settings, such as PIP_INDEX_URL and PIP_FIND_LINKS, say where torch comes from.",
    )
    parser.add_argument("--cache", type=Path, default=cache, metavar="DIR", help="where images are kept (%(default)s)")
    parser.add_argument("--install", action="store_true", help="if root, install with apt-get what is missing")
    parser.add_argument("--strict", action="store_true", help="fail where this machine cannot run the containers")
    parser.add_argument(
        "--base", metavar="IMAGE", help=f"an image with Python {PYTHON} and venv, instead of making one"
    )
    parser.add_argument(
        "--kind", choices=[*KINDS, GRADE], action="append", help="only this kind of container, or tests"
    )
    parser.add_argument("--select", default="", metavar="EXPRESSION", help="of the tests of grading, as pytest's -k")
    parser.add_argument("--docker-only", action="store_true", help="do not run the tests of grading with Podman too")
    parser.add_argument("--seconds", type=float, default=600, metavar="N", help="limit for a container (%(default)g)")
    parser.add_argument("pytest", nargs="*", metavar="-- ARGUMENT", help=f"for pytest; by default {' '.join(TESTS)}")
    options = parser.parse_args(arguments)
    options.cache = options.cache.resolve()
    return options


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Print how long a step took."""
    started = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)


def run(command: Sequence[str | Path], **how: object) -> str:
    """Run one step and return its output.

    Raises:
        Impossible: there is no such program, or it fails; the text has the last line that it printed.
    """
    try:
        done = subprocess.run(command, capture_output=True, **how)  # type: ignore[call-overload]
    except OSError as error:
        raise Impossible(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").strip().rpartition("\n")[2]
        raise Impossible(f"`{' '.join(map(str, command[:3]))} ...` failed: {said.strip()}")
    return str(done.stdout.decode(errors="replace").strip())


# -- the engine --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Wait for other runs with the same cache to end."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another run that uses {cache}", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def engine(options: argparse.Namespace) -> Iterator[None]:
    """Have a Docker daemon that answers: the machine's, or else one of our own until the end."""
    theirs = answers()
    if options.install and os.geteuid() == 0:
        install([] if theirs else ["dockerd", "docker"])
    if theirs:
        yield
        return
    if os.geteuid() != 0:
        raise Impossible("no Docker daemon answers, and only root can start one")
    if not (shutil.which("dockerd") and shutil.which("docker")):
        raise Impossible("no Docker daemon answers, and there is no dockerd; try --install")
    with tempfile.TemporaryDirectory(prefix="docker-", ignore_cleanup_errors=True) as folder:
        os.environ["DOCKER_HOST"] = f"unix://{folder}/socket"
        os.environ.pop("DOCKER_CONTEXT", None)  # would go before it
        with phase("dockerd"):
            daemon = start_daemon(Path(folder), options.cache)
        try:
            yield
        finally:
            stop(daemon)


def answers() -> bool:
    """Whether a Docker daemon answers."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        asked = subprocess.run(["docker", "version"], capture_output=True, timeout=20)
        return asked.returncode == 0
    return False


def install(programs: list[str]) -> None:
    """Install the packages of those programs, and of debootstrap, that are missing."""
    packages = {
        "podman": ["podman"],
        "dockerd": ["docker.io"],
        "docker": ["docker.io"],
        "debootstrap": ["debootstrap", "debian-archive-keyring"],
    }
    missing = [package for name in [*programs, "debootstrap"] if not shutil.which(name) for package in packages[name]]
    if missing:
        with phase(f"apt-get install {' '.join(missing)}"):
            run(["apt-get", "update", "--quiet"])
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *missing], env=quiet)


def start_daemon(folder: Path, cache: Path) -> subprocess.Popen[bytes]:
    """Start a dockerd that touches nothing of the machine's network, and ends with this process.

    Raises:
        Impossible: it does not come up; its log stays in the cache.
    """
    places = {"host": f"unix://{folder}/socket", "pidfile": folder / "pid", "exec-root": folder / "exec"}
    settings = {**places, "data-root": cache / "docker", "bridge": "none", "iptables": "false", "ip-forward": "false"}
    command = ["dockerd", *(f"--{name}={value}" for name, value in settings.items())]
    with open(cache / "dockerd.log", "wb") as log:
        daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", *command], stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + 60
    while not answers():
        if daemon.poll() is not None or time.monotonic() > deadline:
            stop(daemon)
            last = (cache / "dockerd.log").read_text(errors="replace").strip().rpartition("\n")[2]
            raise Impossible(f"dockerd does not start: {last}")
        time.sleep(0.1)
    return daemon


def stop(daemon: subprocess.Popen[bytes]) -> None:
    """End the daemon, which ends what it started."""
    daemon.terminate()
    try:
        daemon.wait(60)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


# -- images ------------------------------------------------------------------------------------------------------------


def tagged(*parts: bytes) -> tuple[str, bool]:
    """The image made of some inputs, and whether it is there."""
    image = f"{IMAGE}:{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}"
    found = subprocess.run(["docker", "image", "inspect", image], capture_output=True)
    return image, found.returncode == 0


def base_image(cache: Path) -> str:
    """Make an image of Debian with Python."""
    image, there = tagged(" ".join(DEBOOTSTRAP).encode())
    if there:
        return image
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Impossible("making the base image needs root and debootstrap; try --install, or --base IMAGE")
    with phase("base image"), tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as folder:
        run([*DEBOOTSTRAP, folder])
        packing = ["tar", "--create", "--one-file-system", f"--directory={folder}", "."]
        with subprocess.Popen(packing, stdout=subprocess.PIPE) as tar:
            run(["docker", "import", "-", image], stdin=tar.stdout)
    return image


def test_image(base: str, cache: Path) -> str:
    """Build the image with all packages; it is older only than what it was made of."""
    inputs = (ROOT / "pyproject.toml", ROOT / "constraints.txt", HERE / "Dockerfile", Path(__file__))
    image, there = tagged(base.encode(), *(file.read_bytes() for file in inputs))
    if there:
        return image
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        context = Path(folder)
        with phase("wheels"):
            fetch_wheels(context / "wheels")
        (context / "project" / "autograder").mkdir(parents=True)
        for name in ("pyproject.toml", "README.md", "LICENSE", "autograder/__init__.py"):
            shutil.copyfile(ROOT / name, context / "project" / name)
        options = [f"--file={HERE / 'Dockerfile'}", "--network=none", f"--build-arg=BASE={base}", f"--tag={image}"]
        with phase("test image"):
            built = subprocess.run(
                ["docker", "build", *options, folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        if built.returncode:
            sys.exit(f"{built.stdout.decode(errors='replace')}\nthe test image cannot be built")
    for other in run(["docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}", IMAGE]).split():
        if other not in (base, image):
            subprocess.run(["docker", "image", "rm", other], capture_output=True)
    return image


def fetch_wheels(folder: Path) -> None:
    """Fetch the third-party packages, and what builds the project, for the image's Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    folder.mkdir()
    (folder / "requirements.txt").write_text("\n".join(wanted), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", f"--python-version={PYTHON}"]
    run([*pip, f"--constraint={ROOT / 'constraints.txt'}", f"--dest={folder}", *wanted])


def bundled_image(base: str, cache: Path) -> str:
    """Have the project build its image, of wheels and without a network; Docker keeps the layers that stay the same."""
    wheels = cache / "wheels"
    try:
        from autograder import bundles
        from autograder.config import load_homework
    except ImportError as error:
        raise Impossible(f"the project is not installed for {sys.executable}: {error}") from error
    homework = load_homework(ROOT)
    pins = bundles.pins(homework)
    listed = "\n".join([*bundles.requirements(homework), *pins])
    if not (wheels / "wanted").is_file() or (wheels / "wanted").read_text(encoding="utf-8") != listed:
        shutil.rmtree(wheels, ignore_errors=True)
        with phase("wheels of the grading image"):
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", f"--dest={wheels}"]
            run([*pip, f"--python-version={PYTHON}", *pins])
        (wheels / "wanted").write_text(listed, encoding="utf-8")
    tag = f"{IMAGE}-grade:latest"
    building = ["bundle", "docker", f"--homework={ROOT}", f"--base={base}", f"--wheelhouse={wheels}", f"--tag={tag}"]
    with phase("grading image"):
        print(run([sys.executable, "-m", "autograder.cli", *building, "--engine=docker"]), flush=True)
    return tag


# -- containers --------------------------------------------------------------------------------------------------------


def checkout() -> bytes:
    """The project's files as they are, committed or not, as an archive that every user may read."""
    listed = run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in sorted({name for name in listed.split("\0") if (ROOT / name).is_file()}):
            content = (ROOT / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if os.access(ROOT / name, os.X_OK) else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


@dataclass(frozen=True)
class Runner:
    """Runs commands in containers of an image that have the project's files; each may take some seconds."""

    image: str
    files: bytes
    seconds: float

    def passes(self, name: str, arguments: list[str]) -> bool:
        """Show the layers in one kind of container, and run the tests; whether both are as they should be."""
        with phase(f"{name}: autograder doctor"):
            status, shown = self.run(name, ["autograder", "doctor"], subprocess.PIPE)
        print(shown, end="", flush=True)
        missing = [layer for layer in KINDS[name].layers if f"  {layer}: in force" not in shown]
        if missing:
            print(f"{name}: not in force: {', '.join(missing)}", flush=True)
        with phase(f"{name}: pytest"):
            tested, _ = self.run(name, ["python", "-m", "pytest", *pytest_arguments(arguments)])
        return not (status or missing or tested)

    def run(self, name: str, command: list[str], output: int | None = None) -> tuple[int, str]:
        """Run a command as process 1 of a new container: no init collects what it leaves; returns status and output."""
        creating = ["docker", "create", "--rm", "--network=none", *KINDS[name].options, self.image, *command]
        container = subprocess.run(creating, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        try:
            subprocess.run(["docker", "cp", "-", f"{container}:/src"], check=True, input=self.files)
            attached = ["docker", "start", "--attach", container]
            done = subprocess.run(attached, stdout=output, stderr=output and subprocess.STDOUT, timeout=self.seconds)
            return done.returncode, (done.stdout or b"").decode(errors="replace")
        except subprocess.TimeoutExpired as error:
            print(f"{name}: stopped after {self.seconds:g} s", flush=True)
            return 1, (error.stdout or b"").decode(errors="replace")
        finally:
            subprocess.run(["docker", "rm", "--force", container], capture_output=True)  # if it has not ended


def graded(base: str, options: argparse.Namespace) -> bool:
    """Run the tests of grading in containers, with each engine that can be had; whether all pass."""
    image = bundled_image(base, options.cache)
    found = {"AUTOGRADER_BASE": base, "AUTOGRADER_WHEELS": str(options.cache / "wheels")}
    passed = grade_tests("docker", image, found, options.select)
    if options.docker_only:
        return passed
    with tempfile.TemporaryDirectory(dir=options.cache, ignore_cleanup_errors=True) as folder:
        try:
            if options.install and os.geteuid() == 0:
                install(["podman"])
            settings = podman(Path(folder), image)
        except Impossible as reason:
            print(f"podman: skipped: {reason}", flush=True)
            return passed
        try:
            return grade_tests("podman", f"localhost/{image}", settings, options.select) and passed
        finally:
            everything = ["podman", "system", "reset", "--force"]  # of this folder: its settings say so
            subprocess.run(everything, env={**os.environ, **settings}, capture_output=True)


def grade_tests(engine: str, image: str, settings: dict[str, str], select: str) -> bool:
    """Run the tests outside containers, with one engine."""
    chosen = {"AUTOGRADER_ENGINE": engine, "AUTOGRADER_IMAGE": image, "OMP_NUM_THREADS": "1"}
    pytest = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-k", select, HERE]
    with phase(f"{engine}: pytest"):
        return subprocess.run(pytest, cwd=ROOT, env={**os.environ, **settings, **chosen}).returncode == 0


def podman(folder: Path, image: str) -> dict[str, str]:
    """Give a Podman of our own, with nothing shared but its program, Docker's image; returns its environment.

    Raises:
        Impossible: there is none, or it runs no container here.
    """
    if not shutil.which("podman"):
        raise Impossible("not installed; try --install")
    runtime = "runtime = 'runc'\n" if shutil.which("runc") else ""  # comes with Docker
    (folder / "containers.conf").write_text(PODMAN_CONF + runtime, encoding="utf-8")
    (folder / "storage.conf").write_text(PODMAN_STORAGE.format(folder=folder), encoding="utf-8")
    settings = {f"CONTAINERS_{name}": str(folder / file) for name, file in PODMAN_FILES.items()}
    env = {**os.environ, **settings}
    with phase("podman load"), subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        run(["podman", "load"], stdin=saving.stdout, env=env)
    run(["podman", "run", "--rm", "--network=none", f"localhost/{image}", "true"], env=env)
    return settings


def pytest_arguments(given: list[str]) -> list[str]:
    """What was given, and the default tests if that names none."""
    named = any((ROOT / argument.partition("::")[0]).exists() for argument in given)
    tests = [] if named else [test for test in TESTS if (ROOT / test).exists()]
    return ["-q", "-rs", "-p", "no:cacheprovider", *tests, *given]


if __name__ == "__main__":
    sys.exit(main())
