"""A homework whose answers open files: what its workers may read and write, and what they still may not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder import confine, sandbox
from autograder.config import Files, Homework, Limits, load_homework
from autograder.errors import IsolationError, RemoteError, WorkerCrashed
from autograder.subject import Session

linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
MINI = Path(__file__).parent / "mini"
LIMITS = Limits(cpu_seconds=5, wall_seconds=20, memory_mb=512)
Act = Callable[[str], object]


@pytest.fixture(scope="module")
def homework() -> Homework:
    """The tiny homework, with files."""
    return load_homework(MINI).model_copy(update={"files": Files(scratch_mb=2)})


@pytest.fixture(scope="module", params=sandbox.MODES)
def launcher(request: pytest.FixtureRequest, homework: Homework) -> Iterator[sandbox.Launcher]:
    """Each mode in turn."""
    yield from _started(request.param, homework)


@pytest.fixture(scope="module")
def sandboxed(homework: Homework) -> Iterator[sandbox.Launcher]:
    """Workers behind every layer."""
    yield from _started("sandbox", homework)


def _started(mode: str, homework: Homework) -> Iterator[sandbox.Launcher]:
    try:
        started = sandbox.launcher(mode, homework=homework)
    except IsolationError as error:
        pytest.skip(str(error))
    yield started
    started.close()
    assert not Path(started.opening.folder).exists()


def scratch_folders(launcher: sandbox.Launcher) -> list[Path]:
    """A launcher's scratch folders that there are now."""
    return list(Path(launcher.opening.folder).iterdir())


def act(launcher: sandbox.Launcher, body: str) -> object:
    """Run the body of a function in a fresh worker; what it returns."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"import os, tempfile\nROOT = {str(MINI)!r}\nENGINE = {confine.__file__!r}\ndef act():\n{lines}\n"
    worker = launcher.take(LIMITS)
    try:
        session = Session(worker)
        session.call("load", {"student": {"file": "student.py", "source": source, "support": None, "names": []}})
        return session.call("module", "student").act()
    finally:
        worker.close()


def test_files_are_written_and_read_and_gone(launcher):
    """A relative path lies in a folder of the worker's own, which is empty at first and removed with it."""
    body = "with open('notes.txt', 'w') as f: f.write('7')\nwith open('notes.txt') as f: return os.getcwd(), f.read()"
    folder, text = act(launcher, body)
    assert text == "7"
    assert act(launcher, "return os.listdir()") == []
    assert not Path(folder).exists()
    assert not str(folder).startswith(str(MINI))


ALLOWED = {
    "a late import": "import xml.dom.minidom, wsgiref.util, sqlite3\nreturn 1",
    "the source of the standard library": "import inspect, json.tool\nreturn len(inspect.getsource(json.tool))",
    "a temporary file": "with tempfile.TemporaryFile() as f: return f.write(b'x')",
    "a named temporary file": "with tempfile.NamedTemporaryFile() as f: return f.write(b'x')",
    "a folder, renamed and removed": "os.mkdir('a')\nos.rename('a', 'b')\nos.rmdir('b')\nreturn 1",
    "saving a tensor": "import torch\ntorch.save(torch.ones(3), 'x.pt')\nreturn torch.load('x.pt').sum().item()",
    "saving an array": "import numpy\nnumpy.save('x.npy', numpy.ones(3))\nreturn float(numpy.load('x.npy').sum())",
}  # fmt: skip


@linux
@pytest.mark.parametrize("name", ALLOWED)
def test_a_worker_may(name, sandboxed):
    """What answers that open files need works in the sandbox."""
    assert act(sandboxed, ALLOWED[name])


FORBIDDEN = {
    "read a file of the system": "open('/etc/passwd')",
    "read the solution": "open(ROOT + '/solutions/square.py')",
    "list the checks": "os.listdir(ROOT + '/checks')",
    "read the engine": "open(ENGINE)",
    "read proc": "open('/proc/self/environ')",
    "list the folder of all scratch folders": "os.listdir('..')",
    "write outside": "open('/tmp/.autograder-test', 'w')",
    "write to the Python installation": "open(os.__file__, 'a')",
    "make a link": "os.symlink('/', 'root')",
    "make a hard link": "os.link(os.__file__, 'os.py')",
    "make a FIFO": "os.mkfifo('fifo')",
    "change a mode": "os.chmod('.', 0o777)",
    "change a time": "os.utime('.')",
    "leave by chroot": "os.chroot('.')",
    "make a socket": "__import__('socket').socket()",
    "fork": "os._exit(0) if os.fork() == 0 else os.wait()",
    "run a program": "os.execv('/bin/true', ['true'])",
}


@linux
@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_worker_may_not(name, sandboxed):
    """Nothing else can be read, written or started."""
    with pytest.raises(RemoteError, match=r"Operation not permitted|Permission denied"):
        act(sandboxed, FORBIDDEN[name])


@linux
def test_another_workers_folder_is_closed(sandboxed, homework):
    """A worker that knows where another one writes can read nothing of it."""
    worker = sandboxed.take(LIMITS)
    try:
        with pytest.raises(RemoteError, match="Permission denied"):
            act(sandboxed, f"os.listdir({worker.scratch.path!r})")
    finally:
        worker.close()


TOO_MUCH = {
    "in many files": "for i in range(100):\n    open(str(i), 'wb').write(bytes(100_000))",
    "in many folders": "for i in range(10_000):\n    os.mkdir(str(i))",
    "deep down": "for i in range(1000):\n    os.mkdir('d')\n    os.chdir('d')",
    "out of sight": "os.mkdir('a')\nos.mkdir('a/b')\nos.umask(0o777)\nos.mkdir('a/c')\nopen('x', 'wb').write(bytes(1 << 21))",
    "while it runs": "while True:\n    open(str(len(os.listdir())), 'wb').write(bytes(50_000))",
}


@linux
@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_ends_the_worker(name, sandboxed):
    """A scratch folder that holds more than it may is the end of its worker, and is removed all the same."""
    with pytest.raises(WorkerCrashed, match="your code wrote"):
        act(sandboxed, TOO_MUCH[name])
    assert len(scratch_folders(sandboxed)) <= 1  # that of the worker which waits


@linux
def test_one_file_has_the_same_limit(sandboxed):
    """Writing a larger file is an error that the student sees."""
    with pytest.raises(RemoteError, match="File too large"):
        act(sandboxed, "f = open('large', 'wb', buffering=0)\nfor _ in range(3): f.write(bytes(1 << 20))")


@linux
def test_files_without_landlock_are_refused(homework, monkeypatch):
    """What may open files could open all of them: a machine without Landlock has to be told to go on."""
    monkeypatch.setitem(sandbox.WANTED, "sandbox", ("user", "seccomp"))
    with pytest.raises(IsolationError, match="landlock"):
        sandbox.launcher("sandbox", homework=homework)


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
def test_no_path_call_is_allowed_where_files_are_not(machine):
    """The two lists have nothing in common."""
    column = confine.ARCHITECTURES[machine][0]
    allowed, paths = ({n[column] for n in table.values()} - {None} for table in (confine.ALLOWED, confine.PATHS))
    assert not allowed & paths


def test_hidden_folders_are_no_part_of_the_installation(tmp_path, monkeypatch):
    """Where the engine or the checks are installed beside other packages, only those others can be read."""
    for name in ("torch", "autograder/checks", "homework/solutions"):
        (tmp_path / "site" / name).mkdir(parents=True)
    monkeypatch.setattr(confine.site, "getsitepackages", lambda: [str(tmp_path / "site")])
    found = confine.python_installation([tmp_path / "site" / "autograder", tmp_path / "site/homework/solutions"])
    inside = {Path(path).relative_to(tmp_path) for path in found if path.startswith(str(tmp_path))}
    assert inside == {Path("site/torch")}
    assert any(Path(os.__file__).is_relative_to(path) for path in found)
