"""The layers: every module imports alone, and only from its own layer's earlier modules or lower layers."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "autograder"
LAYERS = (
    ("__init__",),
    ("errors", "results", "config"),
    (
        "wire",
        "facts",
        "confine",
        "stubs",
        "scoring",
        "visibility",
        "feedback",
        "diagnosis",
        "bans",
        "folders",
        "metadata",
        "submissions",
        "attempts",
        "exports",
        "intake",
        "gradebook",
        "calibration",
        "answers",
        "mutation",
        "leaks",
        "spellings",
        "containers",
        "multiplex",
    ),
    (
        "worker",
        "zygote",
        "relay",
        "transports",
        "sandbox",
        "proxies",
        "subject",
        "comparison",
        "places",
        "example",
        "jacobians",
        "explanation",
        "blame",
        "loading",
        "probing",
        "plugin",
        "grader",
    ),
    (
        "grader_process",
        "grading",
        "validate",
        "reports",
        "pages",
        "bundles",
        "images",
        "otter_bundle",
        "handout",
        "fingerprint",
    ),
    ("batch", "cluster", "audit", "display", "gradescope", "otter_plugin"),
    ("cli",),
)
ORDER = [module for layer in LAYERS for module in layer]
UNTRUSTED = {
    "worker": {"wire", "errors", "facts"},
    "zygote": {"worker", "wire", "facts", "confine"},
    "relay": {"zygote", "confine", "multiplex"},
    "multiplex": set(),
    "confine": set(),
    "wire": {"errors"},
    "facts": set(),
    "errors": set(),
}
HEAVY = {"torch", "numpy", "pydantic", "pytest", "hypothesis", "libcst", "matplotlib", "typer", "rich"}
SUPERVISOR = (
    "grading",
    "batch",
    "cli",
    "reports",
    "submissions",
    "scoring",
    "visibility",
    "stubs",
    "calibration",
)


def imports_of(module: str) -> set[str]:
    """Our modules that a module imports, anywhere in its text: at its top, in functions, under conditions."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module is None:
            found |= {alias.name if alias.name in ORDER else "__init__" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            found.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "autograder":
            found |= {f"absolute: {node.module}"}
        elif isinstance(node, ast.Import):
            found |= {f"absolute: {alias.name}" for alias in node.names if alias.name.partition(".")[0] == "autograder"}
    return found


def run(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded after some code has run in a fresh interpreter."""
    return set(
        json.loads(run(f"{code}\nimport json, sys\nprint(json.dumps([n for n in sys.modules if '.' not in n]))"))
    )


def test_every_module_has_a_layer():
    """A new module needs a place in the table above."""
    assert sorted(ORDER) == sorted(path.stem for path in PACKAGE.glob("*.py"))


@pytest.mark.parametrize("module", ORDER)
def test_imports_go_down(module):
    """Only from lower layers, or from earlier in its own; relative, so that the text shows what is ours."""
    assert imports_of(module) <= set(ORDER[: ORDER.index(module)])


@pytest.mark.parametrize("module", UNTRUSTED)
def test_the_untrusted_side_knows_little(module):
    """What runs beside student code imports the wire, errors and facts, and nothing else of ours."""
    assert imports_of(module) == UNTRUSTED[module]


@pytest.fixture(scope="module")
def alone() -> dict[str, str]:
    """What became of importing each module first of all ours: a child each, forked before any is loaded."""
    code = """if True:
        import json, os, sys
        import hypothesis, libcst, numpy, pydantic, pytest, rich.progress, rich.table, torch, typer
        found = {}
        for name in json.loads(sys.argv[1]):
            assert not any(known.startswith("autograder") for known in sys.modules)
            read, write = os.pipe()
            if os.fork() == 0:
                try:
                    __import__(f"autograder.{name}" if name != "__init__" else "autograder")
                    os.write(write, b"fine")
                except BaseException as error:
                    os.write(write, repr(error).encode()[:1000])
                os._exit(0)
            os.close(write)
            found[name] = os.read(read, 1000).decode()
            os.close(read)
            os.wait()
        print(json.dumps(found))
    """
    return dict(json.loads(run(code, json.dumps(ORDER))))


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_alone(alone, module):
    """In an interpreter that has none of the others, so that no order of imports matters."""
    if module == "otter_plugin" and importlib.util.find_spec("otter") is None:
        pytest.skip("otter-grader is not installed")
    assert alone[module] == "fine"


def test_importing_the_package_is_light():
    """`import autograder` loads nothing but itself."""
    assert not loaded_by("import autograder") & HEAVY


def test_help_is_light():
    """`autograder --help` needs neither torch nor pydantic nor pytest."""
    code = """if True:
        import sys
        from autograder.cli import main
        sys.argv, sys.stdout = ["autograder", "--help"], sys.stderr
        try:
            main()
        except SystemExit as end:
            assert not end.code, end
        sys.stdout = sys.__stdout__
    """
    assert not loaded_by(code) & (HEAVY - {"typer", "rich"})


def test_the_supervisor_never_loads_torch():
    """It must outlive whatever torch does to a process, and start quickly."""
    code = "\n".join(f"import autograder.{name}" for name in SUPERVISOR)
    assert not loaded_by(code) & {"torch", "numpy", "pytest", "hypothesis"}


def test_the_packages_public_names():
    """What `__init__` says is public is there."""
    import autograder

    assert autograder.__all__ == ["__version__"]
    assert all(hasattr(autograder, name) for name in autograder.__all__)
