"""Stand-ins for a container: the inside as an ordinary process, one that lies, and an engine that starts such."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

from autograder import sandbox, wire

LAYERS = [layer for layer in sandbox.WANTED["container"] if layer != "container"]
LIAR = """
import json, os, sys, time
from autograder import multiplex, relay
link = multiplex.Link(os.dup(0), os.dup(1))
def put(kind, number, content=b""):
    link.put(kind, number, content if isinstance(content, bytes) else json.dumps(content).encode())
    while link.unsent:
        link.flush()
def ready(**more):
    put(multiplex.CONTROL, 0, {"tasks": 1, "engine": relay.digest(), "container": "", "versions": {}, **more})
def raw(data):
    link.unsent += data
    while link.unsent:
        link.flush()
def greet(number, said=GREETING):
    put(multiplex.DATA, 2 * number, said)
def forked(number, **more):
    put(multiplex.CONTROL, number, {"pid": number, **more})
forks = 0
START
while True:
    for kind, number, payload in link.frames():
        if kind != multiplex.CONTROL:
            continue
        request = json.loads(payload)
        if request["op"] == "end":
            put(multiplex.CONTROL, number, {"status": 9, "cpu_seconds": 0.5, "killed": True})
            continue
        forks += 1
        if forks < 3:  # the first worker, whose layers are looked at, and the one that is forked ahead of it
            forked(number)
            greet(number)
            continue
        LIE
    time.sleep(0.001)
"""
ENGINE = """#!{python}
import os, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(f"{{os.getpid()}} {{' '.join(words)}}\\n")
if words[0] == "run":
    code = {code!r}
    os.execv(sys.executable, [sys.executable, "-s", "-P", "-c", code, words[-1]])
if words[0] == {fails!r}:
    sys.exit("it is broken")
print("sha256:0" if words[0] == "image" else "1")
"""
IN_CONTAINER = "import sys; from autograder import confine, relay; {probe}relay.main(['--inside', sys.argv[1]])"
PASSES = "confine.probe_container = lambda: ''; "


class Relayed(sandbox.Container):
    """The inside beside the outside, in no container; its workers are behind the other layers."""

    program: tuple[str, ...] = ("-m", "autograder.relay", "--inside", json.dumps({"layers": LAYERS}))

    def _command(self) -> tuple[str, list[str]]:
        return "", [sys.executable, "-s", "-P", *self.program]


class Lying(Relayed):
    """An inside that says what it likes: at its start, or when a third worker is asked for.

    Args:
        start: Python that runs first; `ready()` is what is right.
        lie: Python that answers the request `number`.
    """

    def __init__(self, start: str = "ready()", lie: str = "forked(number)\ngreet(number)"):
        text = (
            LIAR.replace("GREETING", repr(b"".join(wire.encode(["ready", {}]))))
            .replace("START", start)
            .replace("LIE", lie.replace("\n", "\n        "))
        )
        self.program = ("-c", text)
        super().__init__()


class Engine:
    """A program in the place of docker: what it was asked to do, and the processes that its containers are.

    Args:
        folder: where it is put; has to be on the path.
        name: which engine.
        probe: whether its containers say that they are some.
        fails: a command that it refuses.
    """

    def __init__(self, folder: Path, name: str = "docker", *, probe: bool = True, fails: str = ""):
        self.log = folder / f"{name}.log"
        self.log.touch()
        code = IN_CONTAINER.format(probe=PASSES if probe else "")
        program = folder / name
        program.write_text(ENGINE.format(python=sys.executable, log=str(self.log), code=code, fails=fails))
        program.chmod(stat.S_IRWXU)

    def commands(self, *words: str) -> list[tuple[int, list[str]]]:
        """The calls that began with some words: process number and arguments."""
        lines = [line.split() for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [(int(pid), said) for pid, *said in lines if said[: len(words)] == list(words)]

    def running(self) -> list[int]:
        """The processes of containers that have not ended."""
        return [pid for pid, _ in self.commands("run") if alive(pid)]


def alive(pid: int) -> bool:
    """Whether a process runs: it is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def tree(pid: int) -> list[int]:
    """A process, and all that it and those have started."""
    return [pid, *(one for child in children(pid) for one in tree(child))]


def resident_mb(pid: int) -> float:
    """The memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
