"""Stubs: what is kept of a solution, what stands for what students write, which markers are refused."""

import ast
import shutil
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from autograder.config import load_homework
from autograder.errors import StubError
from autograder.stubs import EXPLAINING, make_stub, write_assignment, write_stubs

ROOT = Path(__file__).parent.parent
QUESTIONS = sorted(path.stem for path in (ROOT / "solutions").glob("*.py"))


def stub(source, question="q"):
    """Return the stub of an indented source."""
    return make_stub(dedent(source), question)


def test_region_in_a_function_raises_with_question_and_name():
    """The line that stands for a region names the question and the function, however deep."""
    source = """\
    class Layer:
        def forward(self, X):
            # BEGIN SOLUTION
            Y = 2 * X

            return Y
            # END SOLUTION


    def outer():
        def inner():
            # BEGIN SOLUTION
            return 1
            # END SOLUTION

        return inner
    """
    assert stub(source, "linear") == dedent("""\
    class Layer:
        def forward(self, X):
            raise NotImplementedError("linear: write Layer.forward")


    def outer():
        def inner():
            raise NotImplementedError("linear: write outer.inner")

        return inner
    """)


def test_prompt_takes_the_place_of_the_name():
    """A prompt is what the stub says, also with quotes and other letters than ASCII in it."""
    source = """\
    def f():
        # BEGIN SOLUTION prompt: return "π", not '3'
        return "π"
        # END SOLUTION
    """
    body = ast.parse(stub(source)).body[0].body[0]
    assert ast.unparse(body) == """raise NotImplementedError('q: return "π", not \\'3\\'')"""


def test_everything_outside_of_regions_is_kept():
    """Comments, odd layout, strings with form feeds and markers in strings survive to the letter."""
    before = '''\
    #!/usr/bin/env python
    # a header   \n
    """Docstring: # BEGIN SOLUTION is text here."""
    import   os  # trailing
    TEXT = "a\x0cb"


    @property  # decorated
    def f( a,b = 1 ):  # signature

        """Title."""
        x = (a,
             b)  # kept
        # kept before
    '''
    after = """\
        # kept after
        return x   # unreachable


    # the end"""
    region = "    # BEGIN SOLUTION\n    # lost\n    x = 1  # lost\n    # lost\n    # END SOLUTION\n"
    raised = '    raise NotImplementedError("q: write f")\n'
    before, after = dedent(before), "    " + dedent(after)
    assert make_stub(before + region + after, "q") == before + raised + after


def test_region_in_a_nested_block_raises_there():
    """A region may be part of a function, also inside of a loop."""
    source = """\
    def f(xs):
        total = 0
        for x in xs:
            # BEGIN SOLUTION
            if x:
                total += x
            # END SOLUTION
        return total
    """
    assert stub(source).splitlines()[3:] == [
        '        raise NotImplementedError("q: write f")',
        "    return total",
    ]


def test_region_outside_of_functions_vanishes():
    """An import or a helper that only the solution needs leaves nothing behind, not even empty lines."""
    source = """\
    import os

    # BEGIN SOLUTION
    from math import sqrt

    # END SOLUTION


    class A:
        \"\"\"Kept.\"\"\"

        # BEGIN SOLUTION
        size = 3
        # END SOLUTION


    # BEGIN SOLUTION
    def helper():
        return 1
    # END SOLUTION
    """
    assert stub(source) == 'import os\n\n\nclass A:\n    """Kept."""\n'


def test_prompt_outside_of_functions_stays_as_a_comment():
    """Where nothing can be raised, a prompt tells the student what belongs there."""
    source = "# BEGIN SOLUTION prompt: import what you need\nfrom math import sqrt\n# END SOLUTION\nX = 1\n"
    assert make_stub(source, "q") == "# import what you need\nX = 1\n"


def test_stub_of_a_stub_is_itself():
    """A source without markers comes back as it is."""
    once = make_stub("def f():\n\t# BEGIN SOLUTION\n\treturn 1\n\t# END SOLUTION\n", "q")
    assert once == 'def f():\n\traise NotImplementedError("q: write f")\n'
    assert make_stub(once, "q") == once
    assert make_stub("", "q") == ""


def test_line_ends_are_kept():
    """A source with CRLF line ends gives a stub with CRLF line ends, as does one without a last line end."""
    source = "def f():\r\n    # BEGIN SOLUTION\r\n    return 1\r\n    # END SOLUTION\r\n\r\nX = 1"
    assert make_stub(source, "q") == 'def f():\r\n    raise NotImplementedError("q: write f")\r\n\r\nX = 1'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(:\n    pass\n", "the solution is not valid Python"),
        ("# BEGIN SOLUTION\nx = 1\n", "line 1: `# BEGIN SOLUTION` without `# END SOLUTION`"),
        ("x = 1\n# END SOLUTION\n", "line 2: `# END SOLUTION` without `# BEGIN SOLUTION`"),
        (
            "# BEGIN SOLUTION\nx\n# BEGIN SOLUTION\ny\n# END SOLUTION\n# END SOLUTION\n",
            "line 3: a region begins",
        ),
        ("#begin solution\nx = 1\n# END SOLUTION\n", "line 1: `#begin solution` is no marker"),
        ("# BEGIN SOLUTION: text\nx = 1\n# END SOLUTION\n", "is no marker"),
        ("x = 1  # BEGIN SOLUTION\ny = 2\n# END SOLUTION\n", "line 1: a marker must be alone on its line"),
        (
            "# BEGIN SOLUTION\n# nothing\n# END SOLUTION\n",
            "lines 1 to 3: a region must hold whole statements",
        ),
        ("def f():\n    # BEGIN SOLUTION\n\n    # END SOLUTION\n    pass\n", "lines 2 to 4"),
        ("if x:\n    # BEGIN SOLUTION\n    a\nb\n# END SOLUTION\n", "lines 2 to 5: a region must hold whole"),
        ("if x:\n    a\n# BEGIN SOLUTION\nelse:\n    b\n# END SOLUTION\n", "must hold whole statements"),
        ("def f(\n    # BEGIN SOLUTION\n    a,\n    # END SOLUTION\n):\n    pass\n", "whole statements"),
        ("class A:\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION\n", "leave a docstring in each"),
    ],
)
def test_wrong_markers_are_refused(source, message):
    """Markers that do not enclose whole statements give one line that says where."""
    with pytest.raises(StubError) as caught:
        make_stub(source, "linear")
    text = str(caught.value)
    assert text.startswith("linear: ") and message in text and "\n" not in text


def test_write_stubs_returns_what_changed(tmp_path):
    """Only files that differ are written and returned; with `check` nothing is written."""
    solutions, stubs = tmp_path / "solutions", tmp_path / "stubs"
    solutions.mkdir()
    stubs.mkdir()
    source = b"def f():\r\n    # BEGIN SOLUTION\r\n    return 1\r\n    # END SOLUTION\r\n"
    for name in ("a", "b"):
        (solutions / f"{name}.py").write_bytes(source)

    assert write_stubs(solutions, stubs, ["a", "b"], check=True) == [stubs / "a.py", stubs / "b.py"]
    assert not list(stubs.iterdir())
    assert write_stubs(solutions, stubs, ["a", "b"]) == [stubs / "a.py", stubs / "b.py"]
    assert (stubs / "b.py").read_bytes() == b'def f():\r\n    raise NotImplementedError("b: write f")\r\n'
    (stubs / "b.py").write_text("edited")
    assert write_stubs(solutions, stubs, ["a", "b"]) == [stubs / "b.py"]
    assert write_stubs(solutions, stubs, ["a", "b"], check=True) == []
    with pytest.raises(StubError, match="c: there is no solution at"):
        write_stubs(solutions, stubs, ["c"])


def test_assignment_is_in_step_with_solutions():
    """What is generated in assignment/ is what would be generated now; `autograder stubs` brings it back in step."""
    assert len(QUESTIONS) == 10
    assert write_assignment(load_homework(ROOT), check=True) == []


def test_explaining_modules_are_copied(tmp_path):
    """Into a folder `explain` beside the public checks, if there is one; a copy that was edited is out of step."""
    shutil.copytree(ROOT / "tests" / "mini", tmp_path / "mini")
    homework = load_homework(tmp_path / "mini")
    assert write_assignment(homework) == []
    package = homework.path(homework.public_checks) / "explain"
    package.mkdir()
    files = [package / f"{name}.py" for name in ("__init__", *EXPLAINING)]
    assert write_assignment(homework, check=True) == files and not list(package.iterdir())
    assert write_assignment(homework) == files
    for name in EXPLAINING:
        first, rest = (package / f"{name}.py").read_text(encoding="utf-8").split("\n", 1)
        assert first == f"# Generated from autograder/{name}.py; do not edit."
        assert rest == (ROOT / "autograder" / f"{name}.py").read_text(encoding="utf-8")
    (package / "example.py").write_text("edited", encoding="utf-8")
    assert write_assignment(homework) == [package / "example.py"]
    assert write_assignment(homework, check=True) == []


@pytest.mark.parametrize("name", EXPLAINING)
def test_explaining_modules_need_no_engine(name):
    """They import each other, torch and numpy, and nothing else that students have not; each says why it is there."""
    tree = ast.parse((ROOT / "assignment" / "tests" / "explain" / f"{name}.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1 and ({node.module} if node.module else {a.name for a in node.names}) <= {*EXPLAINING}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]
            assert {module.partition(".")[0] for module in modules} <= {"torch", "numpy", *sys.stdlib_module_names}


@pytest.mark.parametrize("question", QUESTIONS)
def test_stubs_hold_no_solution(question):
    """Of each region no line is left, and each function that a student writes raises."""
    solution = (ROOT / "solutions" / f"{question}.py").read_text(encoding="utf-8")
    left = (ROOT / "assignment" / f"{question}.py").read_text(encoding="utf-8")
    assert "SOLUTION" not in left
    assert left.count("raise NotImplementedError") >= 1
    for region in solution.split("# BEGIN SOLUTION")[1:]:
        lines = region.split("# END SOLUTION")[0].splitlines()[1:]
        for line in (line.strip() for line in lines):
            assert len(line) < 12 or line.startswith(("#", "from")) or line not in left, line
