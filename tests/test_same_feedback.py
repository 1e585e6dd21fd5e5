"""What a student reads of a public check is the same on a laptop and in grading, and its example shows what it says."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder import feedback
from autograder.config import load_homework
from autograder.grading import Grading
from autograder.submissions import Submission
from tests.test_public_checks import QUESTIONS, ROOT, copy_handout, run_pytest

# Wrong submissions. On a laptop two_layer_nn and training use the student's own parts, so that these must be right.
SUBMISSIONS = {
    "numbers": (
        "autograd_basics/takes_a_step",
        "matmul/wrong_sign",
        "gradient_check/always_true",
        "linear/bias_subtracted",
        "relu/leaky",
        "cross_entropy_loss/exp_overflows",
        "sequential/none_without_layers",
        "sgd/ascent",
    ),
    "exceptions": (
        "autograd_basics/needs_requires_grad",
        "matmul/no_transpose_of_X",
        "gradient_check/raises_with_the_backward",
        "linear/without_return",
        "relu/matrices_only",
        "cross_entropy_loss/number_returned",
        "sequential/one_list_argument",
        "sgd/zero_grad_missing",
    ),
    "shapes": (
        "autograd_basics/leaves_requires_grad",
        "matmul/none_for_Y",
        "gradient_check/returns_a_tensor",
        "linear/weight_transposed",
        "relu/result_in_single_precision",
        "sequential/plain_list",
        "sgd/other_default_rate",
        "training/tensors_returned",
    ),
    "networks": ("two_layer_nn/no_relu", "training/sample_average"),
    "more networks": ("two_layer_nn/deviation_for_variance", "training/trains_without_opt"),
}
# Not a mutant: in the solution's file, and in the line that is replaced.
OTHERS = {"linear/without_return": ("        return Z if self.bias", "        Z if self.bias")}
# What these say depends on weights that the student's code draws, and on a laptop the check draws beside it.
DRAWN = {("two_layer_nn", "test_initial_weights_of_the_second_layer")}
Said = dict[tuple[str, str], str]  # by question and check, of those that failed


@dataclass(frozen=True)
class Laptop:
    """A run of the public checks as a student runs them: the folder, and what was said."""

    folder: Path
    said: Said


def questions_of(name: str) -> list[str]:
    """The questions that a submission is wrong in, in the order of the homework."""
    wrong = {mutant.partition("/")[0] for mutant in SUBMISSIONS[name]}
    return [question for question in QUESTIONS if question in wrong]


@pytest.fixture(scope="module")
def laptops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Laptop]:
    """A run for each submission."""
    found = {}
    for name, mutants in SUBMISSIONS.items():
        folder = copy_handout(tmp_path_factory.mktemp("laptop") / "homework", *{*mutants} - OTHERS.keys())
        for other in {*mutants} & OTHERS.keys():
            file = folder / QUESTIONS[other.partition("/")[0]]["file"]
            source = file.read_text(encoding="utf-8")
            assert OTHERS[other][0] in source
            file.write_text(source.replace(*OTHERS[other]), encoding="utf-8")
        run = run_pytest(folder, *(f"tests/test_{question}.py" for question in questions_of(name)))
        found[name] = Laptop(folder, {key: said.strip() for key, said in run.said.items()})
    return found


@pytest.fixture(scope="module")
def grading() -> Iterator[Grading]:
    """A warm grader that recognises no mutant: a laptop has only hints that one check gives by itself."""
    with Grading(load_homework(ROOT), "process") as found:
        found.known = {}
        yield found


def graded(grading: Grading, laptop: Laptop, questions: list[str]) -> Said:
    """What grading says of the public checks of some questions."""
    files = {file: (laptop.folder / file).read_bytes() for file in grading.homework.by_file}
    public = [check.id for check in grading.checks if check.visibility == "public"]
    result = grading.grade(Submission("example", files, {}, ()), questions, only=public)
    said = {}
    for check in result.checks:
        if check.outcome == "PASSED":
            continue
        parts = {name: getattr(check, name) for name in ("message", "comparison", "jacobians", "example", "output")}
        frames = [(frame.file, frame.line, frame.function, frame.source) for frame in check.frames]
        whole = feedback.Feedback(check.outcome.value, frames=frames, hint=check.hint, **parts)
        said[check.check.question, check.check.id.rpartition("::")[2]] = feedback.text(whole).strip()
    return said


def masked(said: Said) -> Said:
    """The same without the numbers that may differ."""
    return {key: re.sub(r"-?\d+\.\d+", "#", text) if key in DRAWN else text for key, text in said.items()}


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_laptop_and_grading_say_the_same(name: str, laptops: dict[str, Laptop], grading: Grading) -> None:
    """The same checks fail, and the whole text is the same, word by word."""
    found = graded(grading, laptops[name], questions_of(name))
    assert {question for question, _ in found} == set(questions_of(name))
    assert masked(laptops[name].said) == masked(found)


def test_every_part_is_there(laptops: dict[str, Laptop]) -> None:
    """These submissions show all that there is to say, each part somewhere; and everywhere code to try."""
    texts = [text for laptop in laptops.values() for text in laptop.said.values()]
    for part in (feedback.COMPARISON, feedback.JACOBIANS, feedback.FRAMES, "Hint: ", "the check could not use what"):
        assert any(part in text for text in texts), part
    assert all(feedback.EXAMPLE in text for text in texts)


def test_the_sample_of_the_readme_is_real(laptops: dict[str, Laptop]) -> None:
    """The README of the handout shows what one of these submissions gets."""
    readme = (ROOT / "assignment" / "README.md").read_text(encoding="utf-8")
    said = laptops["numbers"].said["matmul", "test_values_for_a_random_upstream_gradient"]
    assert f"gradients are those of PyTorch's own X @ Y. _\n{said}\n```\n" in readme


# -- the examples ------------------------------------------------------------------------------------------------------

# Runs each file as a student does, and tells what it printed (tensors as lists) and what it raised.
RUNNER = """
import json, runpy, sys, torch
def tensor(v):
    return [list(v.shape), str(v.dtype), v.tolist()] if isinstance(v, torch.Tensor) else []
told = {}
for file in sys.argv[1:]:
    printed, raised = [], None
    torch.manual_seed(1)
    try:
        runpy.run_path(file, {"print": lambda *values: printed.extend(values)}, "__main__")
    except Exception as error:
        raised = f"{type(error).__name__}: {error}"
    told[file] = [[[repr(v), *tensor(v)] for v in printed], raised]
json.dump(told, sys.stdout)
"""


def run_examples(laptop: Laptop) -> dict[tuple[str, str], tuple[list, str | None]]:
    """What the code in each text prints and raises, put into a file beside the student's."""
    files = {}
    for number, (key, text) in enumerate(laptop.said.items()):
        _, _, rest = text.partition(f"{feedback.EXAMPLE}\n")
        code = re.split(r"\n(?=\S)", rest)[0]
        (laptop.folder / f"try_{number}.py").write_text(textwrap.dedent(code), encoding="utf-8")
        files[f"try_{number}.py"] = key
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    (laptop.folder / "run_them.py").write_text(RUNNER, encoding="utf-8")
    command = [sys.executable, "run_them.py", *files]
    done = subprocess.run(command, cwd=laptop.folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {files[file]: tuple(told) for file, told in json.loads(done.stdout).items()}


def entry(entries: list, place: str) -> float:
    """One number of nested lists, such as the one at `[0, 1]`; the number itself for ``."""
    for index in json.loads(place or "[]"):
        entries = entries[index]
    return float(entries)


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_examples_show_what_came(name: str, laptops: dict[str, Laptop]) -> None:
    """The code prints what came, or raises what the check met."""
    for key, (printed, raised) in run_examples(laptops[name]).items():
        text = laptops[name].said[key]
        if raised is not None:
            assert raised.splitlines()[0] in text or raised.startswith("GradcheckError: Jacobian"), (key, raised)
            continue
        ((written, *tensor),) = printed
        came = re.search(
            r"(?:Shape (\(.*?\))|Dtype (\w+)|The worst is (?:at (\[.*?\])|here): (\S+)|^ +(\S+)) came", text, re.M
        )
        if came is None:  # an assertion without numbers: what it is about is in its message
            written = re.sub(r"torch\.Size\(\[(.*)\]\)", r"(\1)", written)
            assert written in text or written in ("True", "False", "None") or "must be a ModuleList" in text, key
            continue
        shape, dtype, place, number, value = came.groups()
        if shape:
            assert str(tuple(tensor[0])) == shape, key
        elif dtype:
            assert tensor[1] == f"torch.{dtype}", key
        elif number:
            assert math.isclose(entry(tensor[2], place), float(number), rel_tol=1e-5), key
        else:
            assert math.isclose(float(written), float(value), rel_tol=0.1 if key in DRAWN else 1e-5), key
