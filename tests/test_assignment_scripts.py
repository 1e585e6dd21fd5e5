"""What students run besides the checks: data.py, train.py and submit.py."""

import hashlib
import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest
import torch

ROOT = Path(__file__).parent.parent
ASSIGNMENT, SOLUTIONS = ROOT / "assignment", ROOT / "solutions"
QUESTION_FILES = sorted(path.name for path in SOLUTIONS.glob("*.py"))


def run(script, *arguments, cwd=None, **environment):
    """Run a script as a student does, and return what it did."""
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        cwd=cwd or Path(script).parent,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def copy_assignment(folder, *, solved=True, data=False):
    """Fill a folder with what students get, with the solution in place of the stubs if `solved`."""
    folder.mkdir()
    for path in [*ASSIGNMENT.glob("*.py"), ASSIGNMENT / "questions.toml"]:
        shutil.copy(path, folder)
    if solved:
        for name in QUESTION_FILES:
            shutil.copy(SOLUTIONS / name, folder)
    if data:
        shutil.copytree(ASSIGNMENT / "data", folder / "data")
    return folder


# --- data.py ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    """The module assignment/data.py, loaded from elsewhere as the grader does."""
    spec = importlib.util.spec_from_file_location("homework_data", ASSIGNMENT / "data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def damaged_folder(tmp_path):
    """A copy of the data folder, to be damaged."""
    return shutil.copytree(ASSIGNMENT / "data", tmp_path / "data")


def test_load_mnist_returns_rows_and_digits(data):
    """Images are float32 rows in [0, 1], labels int64, with 60,000 to train and 10,000 to test."""
    before = sorted(ASSIGNMENT.joinpath("data").rglob("*"))
    X_train, Y_train, X_test, Y_test = data.load_mnist()
    for X, Y, count in ((X_train, Y_train, 60_000), (X_test, Y_test, 10_000)):
        assert X.shape == (count, 784) and X.dtype == torch.float32 and X.is_contiguous()
        assert Y.shape == (count,) and Y.dtype == torch.int64
        assert X.min() == 0 and X.max() == 1
        assert Y.unique().tolist() == list(range(10))
    assert Y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert Y_test.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert sorted(ASSIGNMENT.joinpath("data").rglob("*")) == before, "loading must not write next to the data"


def test_data_card_has_the_checksums(data):
    """The data card names each file with the SHA-256 that it has."""
    card = (ASSIGNMENT / "data" / "README.md").read_text(encoding="utf-8")
    for name in data.SHA256:
        file = ASSIGNMENT / "data" / "MNIST" / "raw" / f"{name}.gz"
        line = next(line for line in card.splitlines() if file.name in line)
        assert hashlib.sha256(file.read_bytes()).hexdigest() in line


@pytest.mark.parametrize("damage", [lambda b: b[:-1000], lambda b: b"", lambda b: b[:99] + b"\0" + b[100:]])
def test_damaged_file_is_named(data, damaged_folder, damage):
    """A file that was cut, emptied or changed gives one line that names it and says what to do."""
    file = damaged_folder / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(data.DataError) as caught:
        data.load_mnist(damaged_folder)
    assert str(caught.value) == f"{file} is damaged: delete it, and it will be downloaded at the next start"


def test_another_data_set_under_the_same_names_is_refused(data, damaged_folder):
    """Training labels in the place of test labels are noticed."""
    raw = damaged_folder / "MNIST" / "raw"
    shutil.copy(raw / "train-labels-idx1-ubyte.gz", raw / "t10k-labels-idx1-ubyte.gz")
    with pytest.raises(data.DataError, match=r"t10k-labels-idx1-ubyte.gz is damaged"):
        data.load_mnist(damaged_folder)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves the data folder and logs nothing."""

    def __init__(self, *args):
        """Serve one request."""
        super().__init__(*args, directory=str(ASSIGNMENT / "data" / "MNIST" / "raw"))

    def log_message(self, *args):
        """Log nothing."""


def test_missing_files_are_downloaded(data, damaged_folder, monkeypatch):
    """Where a file is missing, torchvision's own download brings it (here from a server of the test's)."""
    MNIST = data.import_mnist()
    file = damaged_folder / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    file.unlink()
    with ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler) as server:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(MNIST, "resources", [(f"{name}.gz", None) for name in data.SHA256])
        Thread(target=server.serve_forever, daemon=True).start()
        _, _, X_test, Y_test = data.load_mnist(damaged_folder)
        server.shutdown()
    assert file.is_file() and len(X_test) == len(Y_test) == 10_000


def test_missing_files_without_network_are_one_line(data, tmp_path, monkeypatch):
    """Without files and without network the error is one line that says both."""
    monkeypatch.setattr(data.import_mnist(), "mirrors", [(tmp_path / "nowhere").as_uri() + "/"])
    with pytest.raises(data.DataError, match=r"are not all in .*, and cannot be downloaded: ") as caught:
        data.load_mnist(tmp_path)
    assert "\n" not in str(caught.value)


TORCHVISION_OF_ANOTHER_TORCH = """
    import torch
    @torch.library.register_fake("torchvision::nms")
    def nms(boxes, scores, iou_threshold): ...
    @torch.library.register_fake("torchvision::qnms")
    def qnms(boxes, scores, iou_threshold): ...
"""


@pytest.mark.parametrize(
    ("torchvision", "printed"),
    [
        (TORCHVISION_OF_ANOTHER_TORCH, "loaded, declared 1"),
        ("", "loaded, declared 0"),
        ("raise RuntimeError('something else')", "raised something else"),
    ],
)
def test_torchvision_built_for_another_torch(tmp_path, torchvision, printed):
    """Operators are declared for a torchvision that lacks its own, for no other, and hide no other error."""
    package = tmp_path / "torchvision"
    (package / "datasets").mkdir(parents=True)
    (package / "__init__.py").write_text(dedent(torchvision))
    (package / "datasets" / "__init__.py").write_text("class MNIST: pass")
    script = tmp_path / "script.py"
    script.write_text(
        "import data\n"
        "try:\n    data.import_mnist(), data.import_mnist()\n"
        "except RuntimeError as error:\n    print(f'raised {error}')\n"
        "else:\n    print(f'loaded, declared {len(data._declared)}')\n"
    )
    result = run(script, PYTHONPATH=f"{tmp_path}{os.pathsep}{ASSIGNMENT}")
    assert result.stdout.strip() == printed, result.stderr


# --- train.py --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def homework(tmp_path_factory):
    """A finished homework with its data; tests leave it as it is."""
    return copy_assignment(tmp_path_factory.mktemp("train") / "homework", data=True)


def test_train_prints_a_line_an_epoch_and_draws(homework, tmp_path):
    """A short training ends with a table and a picture; a Sequential of the same layers trains the same."""
    picture = tmp_path / "picture.png"
    arguments = ["--epochs", 3, "--limit", 2000, "--hidden", 20, "--out", picture]
    result = run(homework / "train.py", *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    header, *lines, last = result.stdout.splitlines()
    assert header.split() == ["epoch", "training", "error", "loss", "test", "error", "loss"]
    rows = [re.fullmatch(r" +(\d)  +([\d.]+)%  (\d\.\d{4})  +([\d.]+)%  (\d\.\d{4})", line) for line in lines]
    assert [row[1] for row in rows] == ["1", "2", "3"]
    assert all(float(rows[2][i]) < float(rows[0][i]) for i in (2, 3, 4, 5)), result.stdout
    assert last.endswith(str(picture))
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG") and struct.unpack(">II", content[16:24]) == (1200, 960)

    again = run(homework / "train.py", *arguments, "--sequential", cwd=tmp_path)
    assert again.stdout == result.stdout


def test_train_says_which_file_to_do_first(homework, tmp_path):
    """With stubs, one line names the first unfinished file and its functions; the exit code is 1."""
    folder = copy_assignment(tmp_path / "stubs", solved=False)
    wanted = "train.py: do this first: linear.py is not finished: write Linear.__init__, Linear.forward\n"
    result = run(folder / "train.py")
    assert (result.returncode, result.stdout, result.stderr) == (1, "", wanted)

    for name in ("linear.py", "relu.py", "cross_entropy_loss.py", "two_layer_nn.py"):
        shutil.copy(SOLUTIONS / name, folder)
    assert "do this first: sgd.py" in run(folder / "train.py").stderr
    assert "do this first: sequential.py" in run(folder / "train.py", "--sequential").stderr


def test_train_without_data_is_one_line(tmp_path):
    """Damaged data are reported in one line, with exit code 1."""
    folder = copy_assignment(tmp_path / "homework", data=True)
    (folder / "data" / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz").write_bytes(b"")
    result = run(folder / "train.py")
    assert result.returncode == 1 and result.stdout == ""
    assert re.fullmatch(r"train.py: .*train-labels-idx1-ubyte.gz is damaged: .*\n", result.stderr)


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--out", "x.jpg"], ["--out", "nowhere/x.png"]])
def test_train_refuses_wrong_options(homework, arguments):
    """A wrong option is refused before anything is trained."""
    result = run(homework / "train.py", *arguments)
    assert result.returncode == 2 and arguments[0] in result.stderr and result.stdout == ""


# --- submit.py -------------------------------------------------------------------------------------------


@pytest.fixture
def finished(tmp_path):
    """A finished homework without data."""
    return copy_assignment(tmp_path / "homework")


def names_in(path):
    """Return the names of the files in a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_submit_writes_question_files_and_helpers(finished, tmp_path):
    """The zip holds the question files and the student's helpers; the same files give the same bytes."""
    (finished / "my_helper.py").write_text("X = 1\n")
    result = run(finished / "submit.py", cwd=tmp_path)
    assert result.returncode == 0 and result.stderr == ""
    written = tmp_path / "submission.zip"
    assert names_in(written) == sorted([*QUESTION_FILES, "my_helper.py"])
    assert result.stdout.startswith("submission.zip: ") and "my_helper.py" in result.stdout
    with zipfile.ZipFile(written) as archive:
        assert archive.read("linear.py") == (finished / "linear.py").read_bytes()

    for path in finished.glob("*.py"):
        os.utime(path, (0, 0))
    again = tmp_path / "again.zip"
    assert run(finished / "submit.py", "-o", again).returncode == 0
    assert again.read_bytes() == written.read_bytes()


def test_submit_refuses_a_missing_file(finished):
    """A missing file is named, and nothing is written."""
    (finished / "relu.py").unlink()
    result = run(finished / "submit.py")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.splitlines()[0] == "submit.py: relu.py is missing"
    assert not (finished / "submission.zip").exists()


@pytest.mark.parametrize("name", ["linear.py", "my_helper.py"])
def test_submit_refuses_a_syntax_error(finished, name):
    """A file that is not valid Python is named with the line."""
    (finished / name).write_text("x = 1\n\ndef f(:\n    pass\n")
    result = run(finished / "submit.py")
    assert result.returncode == 1
    assert result.stderr.startswith(f"submit.py: {name}, line 3: this is not valid Python: ")


def test_submit_refuses_a_null_byte(finished):
    """A file that Python cannot read at all gives a line, not a traceback."""
    (finished / "linear.py").write_bytes(b"x = 1\0")
    result = run(finished / "submit.py")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert result.stderr.startswith("submit.py: linear.py")


def test_submit_refuses_a_stub(finished):
    """What is still a stub is named by function; another NotImplementedError is the student's own."""
    shutil.copy(ASSIGNMENT / "sgd.py", finished)
    source = (finished / "relu.py").read_text()
    (finished / "relu.py").write_text(source + "\n    def other(self):\n        raise NotImplementedError('mine')\n")
    result = run(finished / "submit.py")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "submit.py: sgd.py is not finished: write SGD.__init__, SGD.step, SGD.zero_grad",
        "submit.py: nothing written; --partial submits what there is",
    ]


def test_submit_partial_submits_what_there_is(finished):
    """With --partial, what is wrong is still said, and the rest is submitted."""
    shutil.copy(ASSIGNMENT / "sgd.py", finished)
    (finished / "relu.py").unlink()
    result = run(finished / "submit.py", "--partial")
    assert result.returncode == 0
    assert "relu.py is missing" in result.stderr and "sgd.py is not finished" in result.stderr
    assert names_in(finished / "submission.zip") == [name for name in QUESTION_FILES if name != "relu.py"]


def test_submit_refuses_an_empty_folder(finished):
    """With nothing to submit, --partial does not help."""
    for name in QUESTION_FILES:
        (finished / name).unlink()
    result = run(finished / "submit.py", "--partial")
    assert result.returncode == 1 and "there is nothing to submit" in result.stderr
    assert not (finished / "submission.zip").exists()


@pytest.mark.parametrize(
    ("name", "kind"), [("random.py", "of Python's standard library"), ("numpy.py", "that is installed")]
)
@pytest.mark.parametrize("partial", [[], ["--partial"]])
def test_submit_refuses_a_helper_that_shadows_a_module(finished, name, kind, partial):
    """A helper must not stand in for a module of Python or of a package, --partial or not."""
    (finished / name).write_text("X = 1\n")
    result = run(finished / "submit.py", *partial)
    assert result.returncode == 1 and not (finished / "submission.zip").exists()
    assert result.stderr == f"submit.py: {name} has the name of a module {kind}: choose another name\n"


def test_submit_says_where_it_cannot_write(finished, tmp_path):
    """A place that cannot be written, like a wrong option, is a usage error."""
    result = run(finished / "submit.py", "-o", tmp_path / "nowhere" / "x.zip")
    assert result.returncode == 2 and "submit.py: cannot write" in result.stderr
    assert run(finished / "submit.py", "--no-such-option").returncode == 2
