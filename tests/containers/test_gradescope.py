"""The Gradescope bundle in a container laid out as Gradescope's: root, default capabilities, its smallest size.

`run.py` starts the engine, names a base image with Python and a folder of wheels, and runs this; elsewhere it is
skipped. The image is built by the bundle's own `setup.sh`, without a network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from autograder import containers, gradescope
from autograder.batch import assemble
from autograder.config import load_homework

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "mini"
SCHEMA = json.loads((ROOT / "tests" / "gradescope_schema.json").read_text(encoding="utf-8"))
IMAGE = "torch-autograder-tests-gradescope"
SECONDS = 45  # for a submission of the tiny homework
SMALLEST = ("--cpus=0.5", "--memory=768m", "--memory-swap=768m")  # the smallest container that is offered
BASE, WHEELS = os.environ.get("AUTOGRADER_BASE", ""), os.environ.get("AUTOGRADER_WHEELS", "")
DOCKERFILE = """\
FROM {base}
COPY source /autograder/source
RUN mkdir -p /autograder/submission /autograder/results && bash /autograder/source/setup.sh \\
 && cp /autograder/source/run_autograder /autograder/run_autograder
"""
OTHER_HOMEWORK = """\
FROM {base}
RUN rm -rf /autograder/source/homework
COPY source/homework /autograder/source/homework
COPY source/bundle.json /autograder/source/bundle.json
RUN chmod -R go= /autograder/source
"""
Grade = Callable[[Path], dict[str, Any]]

pytestmark = pytest.mark.skipif(
    not (os.environ.get(containers.ENGINE) == "docker" and BASE and WHEELS),
    reason="needs Docker, a base image and wheels: tests/containers/run.py has them",
)


def docker(*words: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of the engine."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=900, **how)


def built(homework: Path, folder: Path, name: str, recipe: str, **options: Any) -> Iterator[str]:
    """Make a homework's bundle, and an image of it."""
    made = gradescope.bundle(load_homework(homework), wheelhouse=Path(WHEELS), **options)
    (folder / "bundle.zip").write_bytes(made)
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        for entry in archive.infolist():  # with its mode, as unzip does
            Path(archive.extract(entry, folder / "source")).chmod(entry.external_attr >> 16)
    (folder / "bundle.zip").unlink()
    (folder / "Dockerfile").write_text(recipe, encoding="utf-8")
    done = docker("build", "--network=none", f"--tag={name}", folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    yield name
    docker("image", "rm", "--force", name)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image that Gradescope would make of the bundle of the homework that ships."""
    yield from built(ROOT, tmp_path_factory.mktemp("real"), f"{IMAGE}-real", DOCKERFILE.format(base=BASE))


@pytest.fixture(scope="module")
def mini(real: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same with the tiny homework in its place, and a limit within which what hangs must wait for the others."""
    folder, recipe = tmp_path_factory.mktemp("mini"), OTHER_HOMEWORK.format(base=real)
    yield from built(MINI, folder, f"{IMAGE}-mini", recipe, seconds=SECONDS)


def grade(image: str, submission: Path) -> dict[str, Any]:
    """Grade a folder in a new container, as the platform does; what it left in results.json."""
    container = docker("create", "--network=none", *SMALLEST, image, "/autograder/run_autograder").stdout.strip()
    try:
        docker("cp", f"{submission}/.", f"{container}:/autograder/submission", check=True)
        said = docker("start", "--attach", container)
        assert said.returncode == 0, said.stdout + said.stderr
        copied = docker("cp", f"{container}:/autograder/results/results.json", "-", check=True).stdout
    finally:
        docker("rm", "--force", container)
    results = json.loads(copied[copied.index("{") : copied.rindex("}") + 1])  # out of a tar of one file
    jsonschema.validate(results, SCHEMA)
    return results


def handed_in(folder: Path, **texts: str) -> Path:
    """The tiny homework's solution, with other texts for some files."""
    for path in (MINI / "solutions").glob("*.py"):
        shutil.copyfile(path, folder / path.name)
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_the_solution_of_the_real_homework(real, tmp_path):
    """Full marks within the smallest container, behind the layers that the bundle requires."""
    homework = load_homework(ROOT)
    assemble(homework, (), tmp_path / "submission")
    results = grade(real, tmp_path / "submission")
    assert results["score"] == 100, results["output"]
    assert set(results["extra_data"]["isolation"]["layers"]) >= set(gradescope.LAYERS)


def test_the_stubs_of_the_real_homework(real, tmp_path):
    """No points."""
    assert grade(real, ROOT / "assignment")["score"] == 0


def test_a_broken_submission(mini, tmp_path):
    """A file that is not Python costs its question."""
    results = grade(mini, handed_in(tmp_path, cube="def cube(x:\n"))
    assert results["score"] == 10


ATTACKS = {
    "memory": "kept = []\n    while True: kept.append(bytearray(1 << 24))",
    "hang": "while True: pass",
    "exit": "import os\n    os._exit(0)",
    "solution": "print(open('/autograder/source/homework/solutions/square.py').read())\n    return x * x",
    "results": "open('/autograder/results/results.json', 'w').write('{\"score\": 25}')\n    return x * x",
    "kill": "import os\n    os.kill(-1, 9)\n    return x * x",
    "checks": "import glob\n    [print(open(f).read()) for f in glob.glob('/autograder/**', recursive=True)]",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack(mini, tmp_path, attack):
    """It gains nothing, sees nothing, and costs no other question; there is a verdict."""
    results = grade(mini, handed_in(tmp_path, square=f"def square(x):\n    {ATTACKS[attack]}\n", cube=CUBE))
    scores = {question["name"]: question.get("score") for question in results["extra_data"]["questions"]}
    assert scores["square"] == 0
    assert scores["cube"] == 10
    assert "BEGIN SOLUTION" not in json.dumps(results)


CUBE = "def cube(x):\n    return x * x * x\n"


def test_only_root_reads_the_bundle(mini):
    """Another user of the container cannot even list it."""
    listing = docker("run", "--rm", "--network=none", "--user=nobody", mini, "ls", "/autograder/source")
    assert listing.returncode != 0
    assert "denied" in listing.stderr
