"""`autograder bundle docker`: what an image is built of, and the command that builds it; a fake engine builds nothing."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import cli, containers, images
from autograder.config import Homework
from autograder.errors import ConfigError, IsolationError
from tests.relayed import Engine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fake engine is a script")


@pytest.fixture
def engine(tmp_path, monkeypatch) -> Callable[..., Engine]:
    """Put programs in the engines' place."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in (containers.ENGINE, containers.IMAGE):
        monkeypatch.setenv(name, "")
    return lambda name="docker", **how: Engine(tmp_path / "bin", name, **how)


@pytest.fixture
def wheelhouse(tmp_path) -> Path:
    """A folder with a wheel, and something else."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    (folder / "some-1-py3-none-any.whl").write_bytes(b"wheel")
    (folder / "notes.txt").write_text("not a wheel", encoding="utf-8")
    return folder


def test_what_an_image_is_built_of(homework: Homework, tmp_path, wheelhouse):
    """The Dockerfile, the engine, what it requires, and the wheels: nothing of the homework, no check."""
    context = tmp_path / "context"
    images.lay_out(homework, images.Options(wheelhouse=wheelhouse), context)
    found = sorted(str(path.relative_to(context)) for path in context.rglob("*") if path.is_file())
    (wheel,) = [name for name in found if name.startswith("engine/")]
    expected = ["Dockerfile", "constraints.txt", wheel, "requirements.txt", "wheels/some-1-py3-none-any.whl"]
    assert found == sorted(expected)
    names = zipfile.ZipFile(context / wheel).namelist()
    assert "autograder/relay.py" in names and "autograder/templates/docker/Dockerfile" in names
    assert not [name for name in names if "checks" in name or "solutions" in name]
    assert "torchvision" in (context / "requirements.txt").read_text(encoding="utf-8")  # of the homework
    assert "\ntorch==" in (context / "constraints.txt").read_text(encoding="utf-8")


def test_a_context_is_laid_out_anew(homework, tmp_path, wheelhouse):
    """Wheels of the last time are gone; the same engine gives the same files."""
    context = tmp_path / "context"
    images.lay_out(homework, images.Options(wheelhouse=wheelhouse), context)
    first = {path.name: path.read_bytes() for path in context.rglob("*") if path.is_file()}
    images.lay_out(homework, images.Options(), context)
    again = {path.name: path.read_bytes() for path in context.rglob("*") if path.is_file()}
    assert first.keys() - again.keys() == {"some-1-py3-none-any.whl"}
    assert all(first[name] == content for name, content in again.items())


def test_a_folder_of_other_things_is_left_alone(homework, tmp_path):
    """Only a new folder, or one that was laid out before."""
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds something else"):
        images.lay_out(homework, images.Options(), tmp_path)


def test_a_wheelhouse_without_wheels_is_an_error(homework, tmp_path):
    """Rather than an image that downloads after all."""
    with pytest.raises(ConfigError, match="has no wheels"):
        images.lay_out(homework, images.Options(wheelhouse=tmp_path), tmp_path / "context")


@pytest.mark.parametrize("name", containers.ENGINES)
def test_the_command_that_builds(engine, homework, tmp_path, wheelhouse, name):
    """Base, index and tag reach the engine that answers; wheels need no network."""
    program = engine(name)
    options = images.Options("debian:mine", "https://torch.example/cpu", wheelhouse, "mine:1")
    context = tmp_path / "context"
    with pytest.raises(IsolationError, match="does not find the image mine:1"):  # the fake has built none
        images.build(homework, options, context)
    ((_, words),) = program.commands("build")
    arguments = {"--build-arg=BASE=debian:mine", "--build-arg=TORCH_INDEX=https://torch.example/cpu"}
    assert set(words) == {"build", "--tag=mine:1", "--network=none", *arguments, str(context)}


def test_by_default_the_image_that_grade_looks_for(engine, homework, tmp_path, monkeypatch):
    """The Dockerfile's own base, pip's own index, a network."""
    monkeypatch.setattr(images, "size", lambda engine, tag: 1)
    program = engine("podman")
    images.build(homework, images.Options(), tmp_path / "context")
    ((_, words),) = program.commands("build")
    tags = [f"--tag={containers.default_image()}", "--tag=torch-autograder:latest"]
    assert words == ["build", *tags, str(tmp_path / "context")]


def test_a_build_that_fails_says_why(engine, homework, tmp_path):
    """With the last lines of what the engine printed."""
    engine(fails="build")
    with pytest.raises(ConfigError, match="cannot be built:\nit is broken"):
        images.build(homework, images.Options(), tmp_path / "context")


def test_without_an_engine_the_command_line_says_so(engine, monkeypatch, capsys):
    """One line, and the status of a usage error."""
    monkeypatch.setattr(sys, "argv", ["autograder", "bundle", "docker"])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == cli.USAGE
    error = capsys.readouterr().err
    assert "no container engine runs here (docker: not installed; podman: not installed)" in error
    assert error.count("\n") == 1


def test_the_dockerfile():
    """A slim base that can be replaced, no root, nothing that compiles or downloads a browser."""
    text = images.DOCKERFILE.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert "ARG BASE=python:3.11-slim" in lines
    assert f"USER {containers.USER}:{containers.USER}" in lines
    assert lines.count("FROM ${BASE}") == 1  # the last stage starts anew
    for unwanted in ("apt-get", "conda", "gcc", "build-essential", "curl", "wget"):
        assert unwanted not in text
