"""Hands attacks in at each level of isolation, and finds out what they have achieved.

A level's folder holds its own copy of the homework, whose secrets (`CANARY_...`) have been made unguessable, a
neighbour's submission, and the results. An attack is told where these are, as someone who knows the platform would be.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from autograder import reports
from autograder.config import load_homework
from autograder.grading import Grading
from autograder.results import Outcome, SubmissionResult
from autograder.submissions import read_submission

HERE = Path(__file__).parent
# `files` is the sandbox of a homework whose answers open files.
LEVELS = ("bare", "none", "process", "files", "sandbox")
WANTS = ("points", "secret", "leftover", "harm", "act")
BARE_CPU_SECONDS, BARE_SECONDS = 8, 20  # a bare grader that has not ended by then never will
DYING_SECONDS = 1  # that a process which was killed may take to end on a busy machine
PUBLIC_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", str(Path.home()), "/")


@dataclass(frozen=True)
class Attack:
    """One attack's text and what its docstring declares."""

    path: Path

    @property
    def family(self) -> str:
        """The folder that it is in."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """Family and file name."""
        return f"{self.family}/{self.path.stem}"

    @cached_property
    def text(self) -> str:
        """The student's file, with placeholders."""
        return self.path.read_text(encoding="utf-8")

    @property
    def wants(self) -> str:
        """What it is after, one of `WANTS`."""
        return self._declared("Wants")[0]

    @property
    def works(self) -> list[str]:
        """The levels at which it gets that."""
        return self._declared("Works")

    @property
    def needs(self) -> str:
        """What its positive control needs of the machine: `root`, `admin` (CAP_SYS_ADMIN), or nothing."""
        return (self._declared("Needs") or [""])[0]

    @property
    def stopped_by(self) -> str:
        """The layer without which it works even in the sandbox; any layer will do if empty."""
        return (self._declared("Stopped by") or [""])[0]

    def _declared(self, field: str) -> list[str]:
        found = re.search(rf"^{field}: (.*)$", self.text.partition('"""\n')[0], re.MULTILINE)
        return [word.strip() for word in found[1].split(",")] if found else []


def attacks() -> list[Attack]:
    """Every attack there is."""
    return [Attack(path) for path in sorted(HERE.glob("*/*.py")) if path.parent.name != "homework"]


@dataclass
class Achieved:
    """What one attack achieved at one level."""

    points: float = 0
    secrets: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    harm: tuple[str, ...] = ()
    act: bool = False

    def got(self, wanted: str) -> bool:
        """Whether it got what it wanted."""
        return bool({"secret": self.secrets, "leftover": self.leftovers}.get(wanted, getattr(self, wanted, None)))


class Level(Protocol):
    """A grader that attacks can be handed in to."""

    def run(self, attack: Attack) -> Achieved:
        """Grade the attack, then a right answer, and look around."""


class Surroundings:
    """A level's own folder, token and listener, and what an attack changed of them."""

    def __init__(self, name: str):
        self.name = name
        self.token = f"t{os.urandom(5).hex()}"
        # Not below pytest's own folders, which are closed to other users: what must stop a worker is the sandbox.
        self.folder = Path(tempfile.mkdtemp(prefix=f"attacks-{name}-"))
        self.folder.chmod(0o755)
        self.root, self.results = self.folder / "source", self.folder / "results"
        self.submission, self.neighbour = self.folder / "submission", self.folder / "neighbour"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.2)
        self.heard: list[bytes] = []
        self.closing = threading.Event()
        self.ear = threading.Thread(target=self._listen)
        self.ear.start()
        self.restore()

    def close(self) -> None:
        """Take everything away."""
        self.closing.set()
        self.ear.join()
        self.listener.close()
        shutil.rmtree(self.folder)

    def restore(self) -> None:
        """Lay out the homework and the neighbour's submission anew."""
        for folder in (self.root, self.neighbour, self.results, self.submission):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        shutil.copytree(HERE / "homework", self.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        if self.name == "files":
            with (self.root / "pyproject.toml").open("a", encoding="utf-8") as config:
                config.write("\n[tool.autograder.files]\n")
        for file in [*self.root.rglob("*.py"), *self.root.rglob("*.txt")]:
            file.write_text(self.secret(file.read_text(encoding="utf-8")), encoding="utf-8")
        shutil.copytree(self.root / "solutions", self.neighbour, dirs_exist_ok=True)
        (self.neighbour / "square.py").write_text(f"# {self.canary('NEIGHBOUR')}\n", encoding="utf-8")
        self.before = self.files()

    def canary(self, place: str) -> str:
        """The secret of one place."""
        return f"CANARY_{place}_{self.token}"

    def secret(self, text: str) -> str:
        """The text with its secrets made unguessable."""
        return re.sub(r"CANARY_([A-Z]+)", lambda found: self.canary(found[1]), text)

    def hand_in(self, text: str) -> None:
        """Put an attack, and a right cube, into the submission's folder."""
        replaced = text.replace("/autograder/", f"{self.folder}/").replace("TOKEN", self.token)
        replaced = replaced.replace("PORT", str(self.listener.getsockname()[1]))
        (self.submission / "square.py").write_text(replaced, encoding="utf-8")
        shutil.copyfile(self.root / "solutions" / "cube.py", self.submission / "cube.py")

    def files(self) -> dict[str, bytes]:
        """The homework's and the neighbour's files."""
        found = [file for folder in (self.root, self.neighbour) for file in folder.rglob("*")]
        return {str(f): f.read_bytes() for f in found if f.is_file() and "__pycache__" not in f.parts}

    def secrets(self, said: str) -> tuple[str, ...]:
        """The secrets that were said, or sent to the listener."""
        heard = said + b"".join(self.heard).decode("utf-8", "replace")
        return tuple(sorted(set(re.findall(rf"CANARY_([A-Z]+)_{self.token}", heard))))

    def leftovers(self) -> tuple[str, ...]:
        """Changed files, and processes, files and sockets that bear the token; processes are ended, files removed."""
        found = [f"changed {path}" for path, content in self.files().items() if self.before.get(path) != content]
        found += [f"removed {path}" for path in self.before.keys() - self.files().keys()]
        marked = {pid for pid, words in _processes() if self.token in words}
        if marked:
            time.sleep(DYING_SECONDS)
        for pid, words in _processes():
            if pid in marked and self.token in words:
                found.append(f"process {pid}: {words}")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for place in (*PUBLIC_PLACES, str(self.folder)):
            for path in Path(place).glob(f"*{self.token}*") if Path(place).is_dir() else ():
                found.append(f"file {path}")
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self.token in Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace"):
            found.append("socket")
        if self.heard:
            found.append(f"connection: {b''.join(self.heard)[:100]!r}")
        return tuple(found)

    def _listen(self) -> None:
        while not self.closing.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(1)
                    self.heard.append(b"connected ")
                    with contextlib.suppress(OSError):
                        self.heard.append(connection.recv(1 << 16))


def _processes() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
                if state in (b"Z", b"X"):  # ended, and not yet collected by whoever has to
                    continue
                name = (entry / "comm").read_bytes() + (entry / "cmdline").read_bytes()
                yield int(entry.name), name.replace(b"\0", b" ").decode("utf-8", "replace")


BROKEN = (Outcome.INTERNAL_ERROR, Outcome.SKIPPED)
STARTING = threading.Lock()  # a grader inherits the environment, which is one for all levels


def _cpu_seconds(pid: int) -> float:
    """The processor time that a process has used; none once it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Engine:
    """Our own grader, under one mode."""

    def __init__(self, level: str):
        self.mode, self.around = "sandbox" if level == "files" else level, Surroundings(level)
        with STARTING:
            os.environ["GRADER_SECRET"] = self.around.canary("ENVIRONMENT")
            self.grading = Grading(load_homework(self.around.root), self.mode)
            del os.environ["GRADER_SECRET"]

    def close(self) -> None:
        """End the grader."""
        self.grading.close()
        self.around.close()

    @property
    def isolation(self) -> dict[str, Any]:
        """The layers that are in force."""
        return self.grading.grader.ready["isolation"]

    def grade(self) -> SubmissionResult:
        """Grade the submission and write its results."""
        result = self.grading.grade(read_submission(self.around.submission, self.grading.homework))
        reports.write_json(self.around.results / "results.json", reports.results_json(result))
        return result

    def run(self, attack: Attack) -> Achieved:
        """Grade the attack, then a right answer, and look around."""
        around = self.around
        around.heard.clear()
        around.hand_in(attack.text)
        result = self.grade()
        written = json.loads((around.results / "results.json").read_text(encoding="utf-8"))
        said = "\n".join(f"{check.message}\n{check.output}\n{check.frames}" for check in result.checks)
        harm = [f"{check.check.id}: {check.message}" for check in result.checks if check.outcome in BROKEN]
        if result.question("cube").score != 5 and self.mode != "none":
            harm.append("the question beside it lost points")
        leftovers = around.leftovers()
        if self.around.name == "sandbox" or attack.wants in ("harm", "leftover"):
            harm += self._harm_to_the_next()
        if leftovers or self.mode == "none":
            around.restore()
        return Achieved(
            points=sum(test["score"] for test in written["tests"] if "score" in test) - result.question("cube").score
            if "score" in written
            else 0,
            secrets=around.secrets(said + json.dumps(written)),
            leftovers=leftovers,
            harm=tuple(harm),
            act=f"DONE {around.token}" in said,
        )

    def _harm_to_the_next(self) -> list[str]:
        for file in ("square.py", "cube.py"):
            shutil.copyfile(self.around.root / "solutions" / file, self.around.submission / file)
        result = self.grade()
        return [f"next: {c.check.id}: {c.message}" for c in result.checks if c.outcome is not Outcome.PASSED]


class Bare:
    """The one-process grader of `bare.py`."""

    isolation: dict[str, Any] = {"mode": "bare", "layers": [], "absent": {}}  # noqa: RUF012 (never changed)

    def __init__(self) -> None:
        self.around = Surroundings("bare")
        self.server = self._start()
        self.plain = self._score((HERE / "wrong.py").read_text(encoding="utf-8"))
        assert self.plain is not None, (self.around.results / "output").read_text()

    def close(self) -> None:
        """End the server."""
        self._end(self.server)
        self.around.close()

    def run(self, attack: Attack) -> Achieved:
        """Grade the attack and look around."""
        around = self.around
        around.heard.clear()
        score = self._score(attack.text)
        output = around.results / "output"
        said = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        leftovers = around.leftovers()
        return Achieved(
            points=max(0, (score or 0) - self.plain),
            secrets=around.secrets(said),
            leftovers=leftovers,
            harm=("no verdict",) if score is None else (),
            act=f"DONE {around.token}" in said,
        )

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "GRADER_SECRET": self.around.canary("ENVIRONMENT"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-P", str(HERE / "bare.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        return subprocess.Popen(command, env=environment, start_new_session=True, **pipes)

    @staticmethod
    def _end(server: subprocess.Popen[bytes]) -> None:
        server.kill()
        server.communicate()

    def _score(self, text: str) -> float | None:
        """What an attack earns; None when there is no verdict."""
        around = self.around
        around.restore()
        around.hand_in(text)
        request = {name: str(getattr(around, name)) for name in ("root", "results", "submission")}
        self.server.stdin.write(json.dumps(request).encode() + b"\n")
        pid = int(self._line(60))
        deadline = time.monotonic() + BARE_SECONDS
        while not (said := self._line(0.1)) and time.monotonic() < deadline and _cpu_seconds(pid) < BARE_CPU_SECONDS:
            pass
        if said != b"ended\n":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            self._end(self.server)
            self.server = self._start()
        try:
            return float(json.loads((around.results / "results.json").read_text(encoding="utf-8"))["score"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _line(self, seconds: float) -> bytes:
        """The server's next line, as far as it comes in time."""
        return self.server.stdout.readline() if select.select([self.server.stdout], [], [], seconds)[0] else b""
