"""Runs the public checks of some questions, or of all, and says which question to look at next."""

import argparse
import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CANNOT_RUN = 2
INTERRUPTED = 130
WAITING = "\nSave a file to check it again; Ctrl-C ends this."
EXAMPLES = """\
examples:
  python check.py                   all questions, then a table of your points
  python check.py linear relu       two of them
  python check.py --watch           all, then those that a file belongs to, each time you save one
  python check.py --first matmul    no further than the first failure

Exit status: 0 if all checks pass, 1 if some fail.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the checks; return the exit code."""
    questions = load_questions()
    options = parse(arguments)
    chosen = [name.removesuffix(".py") for name in options.questions] or list(questions)
    if unknown := [name for name in chosen if name not in questions]:
        return refuse(f"there is no question {unknown[0]}; the questions are {', '.join(questions)}")
    for package in ("pytest", "hypothesis", "torch"):
        if importlib.util.find_spec(package) is None:
            return refuse(f"{package} is not installed: pip install -r requirements.txt")
    try:
        return watch(chosen, questions, options.first) if options.watch else run(chosen, options.first)
    except KeyboardInterrupt:
        return INTERRUPTED


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help="a question's name, or its file")
    parser.add_argument("-w", "--watch", action="store_true", help="run again when you save a file; Ctrl-C ends it")
    parser.add_argument("-x", "--first", action="store_true", help="stop at the first failure")
    return parser.parse_args(arguments)


def refuse(reason: str) -> int:
    """Say why nothing is run."""
    print(f"check.py: {reason}", file=sys.stderr)
    return CANNOT_RUN


def load_questions() -> dict[str, dict]:
    """Return the questions by name, in the order of the homework."""
    return tomllib.loads((FOLDER / "questions.toml").read_text(encoding="utf-8"))["questions"]


def run(chosen: list[str], first: bool) -> int:
    """Run some questions' checks, in a process of their own, which loads your files as they are now."""
    command = [sys.executable, "-B", "-m", "pytest", "--no-header", *(["-x"] if first else [])]
    return subprocess.call([*command, *(f"tests/test_{name}.py" for name in chosen)], cwd=FOLDER)


def watch(chosen: list[str], questions: dict[str, dict], first: bool) -> int:
    """Run the checks, and again those of the questions that a saved file belongs to, until Ctrl-C."""
    try:
        import watchfiles
    except ImportError:
        return refuse("--watch needs the package watchfiles: pip install watchfiles")
    rounds = watchfiles.watch(
        FOLDER,
        watch_filter=lambda change, path: path.endswith(".py"),
        recursive=False,
        rust_timeout=500,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    next(rounds)  # from here on, no change is missed
    run(chosen, first)
    print(WAITING, flush=True)
    for changes in rounds:
        saved = {Path(path).stem for _, path in changes}
        if again := [name for name in chosen if saved & needed_by(name, questions)]:
            run(again, first)
            print(WAITING, flush=True)
    return 0


def needed_by(question: str, questions: dict[str, dict]) -> set[str]:
    """Return your modules that a question's checks need: those that they name, and what these import."""
    checks = (FOLDER / "tests" / f"test_{question}.py").read_text(encoding="utf-8")
    named = set(re.findall(r"\bhw\.(\w+)", checks))
    waiting = [entry["file"].removesuffix(".py") for entry in questions.values() if named & {*entry.get("names", ())}]
    found = set()
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports_of(FOLDER / f"{module}.py")
    return found


def imports_of(file: Path) -> list[str]:
    """Return the modules that a file imports; none where it cannot be read."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (OSError, SyntaxError, ValueError):
        return []
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


if __name__ == "__main__":
    sys.exit(main())
