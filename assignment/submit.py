"""Checks your files and writes submission.zip, which is what you hand in."""

import argparse
import ast
import sys
import tomllib
import warnings
from importlib.machinery import PathFinder
from pathlib import Path
from zipfile import ZipFile, ZipInfo

FOLDER = Path(__file__).resolve().parent
GIVEN = {"data.py", "train.py", "submit.py", "check.py", "conftest.py"}  # everybody has these
REFUSED = 1
CANNOT_WRITE = 2


def main(arguments: list[str] | None = None) -> int:
    """Write the zip, or say in one line each what is wrong; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("submission.zip"), metavar="FILE")
    parser.add_argument("--partial", action="store_true", help="submit unfinished files too")
    options = parser.parse_args(arguments)

    questions = load_questions()
    helpers = sorted(path.name for path in FOLDER.glob("*.py") if path.name not in {*questions, *GIVEN})
    names = [*questions, *helpers]
    problems = [problem for file in names if (problem := find_problem(file, questions.get(file)))]
    shadowing = [problem for file in helpers if (problem := find_shadowed(file))]
    for problem in [*problems, *shadowing]:
        print(f"submit.py: {problem}", file=sys.stderr)
    if shadowing or (problems and not options.partial):
        if not shadowing:
            print("submit.py: nothing written; --partial submits what there is", file=sys.stderr)
        return REFUSED
    files = [file for file in names if (FOLDER / file).is_file()]
    if not files:
        print("submit.py: there is nothing to submit", file=sys.stderr)
        return REFUSED
    try:
        write_zip(options.output, files)
    except OSError as error:
        print(f"submit.py: cannot write {options.output}: {error.strerror}", file=sys.stderr)
        return CANNOT_WRITE
    print(f"{options.output}: {', '.join(files)}")
    return 0


def load_questions() -> dict[str, str]:
    """Return the question that each file answers."""
    questions = tomllib.loads((FOLDER / "questions.toml").read_text(encoding="utf-8"))["questions"]
    return {entry["file"]: name for name, entry in questions.items() if "file" in entry}


def find_problem(file: str, question: str | None = None) -> str | None:
    """Return in one line why a file is not ready, or None; a file without a question is a helper module."""
    try:
        source = (FOLDER / file).read_bytes()
    except FileNotFoundError:
        return f"{file} is missing"
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(source, filename=file)
    except SyntaxError as error:
        return f"{file}, line {error.lineno}: this is not valid Python: {error.msg}"
    except ValueError as error:
        return f"{file}: this is not valid Python: {error}"
    unwritten = find_unwritten(tree, question) if question else []
    return f"{file} is not finished: write {', '.join(unwritten)}" if unwritten else None


def find_unwritten(node: ast.AST, question: str, scope: str = "") -> list[str]:
    """Return the functions that still hold the stub's ``raise NotImplementedError("<question>: ...")``."""
    unwritten = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            unwritten += find_unwritten(child, question, f"{scope}{child.name}.")
        elif scope and _is_stub(child, question):
            unwritten.append(scope.removesuffix("."))
    return unwritten


def _is_stub(node: ast.AST, question: str) -> bool:
    match node:
        case ast.Raise(exc=ast.Call(func=ast.Name("NotImplementedError"), args=[ast.Constant(str(text))])):
            return text.startswith(f"{question}: ")
    return False


def find_shadowed(file: str) -> str | None:
    """Return in one line which module a helper would stand in for, or None."""
    name = Path(file).stem
    elsewhere = [path for path in sys.path if path and Path(path).resolve() != FOLDER]
    installed = PathFinder.find_spec(name, elsewhere)
    if name in sys.stdlib_module_names:
        kind = "of Python's standard library"
    elif installed and installed.origin:
        kind = "that is installed"
    else:
        return None
    return f"{file} has the name of a module {kind}: choose another name"


def write_zip(path: Path, files: list[str]) -> None:
    """Write the files; the same files give the same bytes."""
    with ZipFile(path, "w") as archive:
        for file in sorted(files):
            entry = ZipInfo(file, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on Windows
            archive.writestr(entry, (FOLDER / file).read_bytes())


if __name__ == "__main__":
    sys.exit(main())
