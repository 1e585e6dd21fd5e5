"""A grader as others are: tests and student code in one process, no supervisor. Attacks have to work somewhere.

Reads one JSON request a line, `{root, results, submission}`, and forks: the child runs the checks, careless ones too,
with pytest beside the student's code, writes `results.json` itself and ends.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import hypothesis
import pytest
import torch

OPTIONS = ["-p", "no:cacheprovider", "-q", "-c", os.devnull, "--noconftest", "--import-mode=importlib"]


class Plugin:
    """Gives checks the student's module itself, and counts what passes."""

    def __init__(self, root: Path):
        self.root = root
        self.passed: list[str] = []

    @pytest.fixture(scope="session")
    def hw(self):
        """The student's functions, imported beside the tests."""
        import cube
        import square

        return SimpleNamespace(square=square.square, cube=cube.cube)

    @pytest.fixture(scope="session")
    def reference(self):
        """The solution's functions."""
        return SimpleNamespace(square=load(self.root / "solutions" / "square.py").square)

    @pytest.fixture(scope="session")
    def homework(self):
        """Where the homework's files are."""
        return SimpleNamespace(path=lambda name: self.root / name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a check that passed."""
        if report.when == "call" and report.passed:
            self.passed.append(report.nodeid)


def load(path: Path) -> ModuleType:
    """Import a file under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"solution_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def grade(root: Path, results: Path, submission: Path) -> None:
    """Run all checks on one submission and write what it earned."""
    os.chdir(submission)
    sys.path.insert(0, str(submission))
    sys.dont_write_bytecode = True
    hypothesis.settings.register_profile("bare", derandomize=True, database=None, deadline=None, max_examples=20)
    hypothesis.settings.load_profile("bare")
    plugin = Plugin(root)
    folders = [str(root / "checks"), str(root / "careless")]
    pytest.main([*OPTIONS, "--rootdir", str(root), *folders], plugins=[plugin])
    square = [check for check in plugin.passed if "test_square" in check]
    text = json.dumps({"score": len(square), "passed": square, "cube": len(plugin.passed) - len(square)})
    (results / "results.json").write_text(text, encoding="utf-8")


def warm_up() -> None:
    """Import now what every run needs."""
    X = torch.ones(2, dtype=torch.double, requires_grad=True)
    torch.autograd.gradcheck(torch.sin, (X,))
    torch.testing.assert_close(X, X)
    here = Path(__file__).parent / "homework"
    quiet = os.open(os.devnull, os.O_WRONLY)
    out = os.dup(1)
    os.dup2(quiet, 1)
    pytest.main([*OPTIONS, "--collect-only", "--rootdir", str(here), str(here / "checks"), str(here / "careless")])
    sys.stdout.flush()
    os.dup2(out, 1)
    for name, module in list(sys.modules.items()):  # else pytest takes these for the homework's checks
        if str(getattr(module, "__file__", None)).startswith(str(here)):
            del sys.modules[name]


def main() -> None:
    """Serve requests until standard input is closed; torch is imported once."""
    torch.set_num_threads(1)
    sys.dont_write_bytecode = True
    warm_up()
    for line in sys.stdin:
        request = {name: Path(path) for name, path in json.loads(line).items()}
        pid = os.fork()
        if pid == 0:
            os.setsid()
            output = os.open(request["results"] / "output", os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 1)
            os.dup2(output, 2)
            grade(**request)
            sys.stdout.flush()
            sys.exit()  # atexit hooks are run
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
