"""Generated mutants: which changes are made, and what is left alone."""

from __future__ import annotations

import ast

import pytest

from autograder.mutation import mutations

CHANGES = [  # a statement, and one of its mutants
    ("y = a + b", "y = a - b"),
    ("y = a @ b", "y = a * b"),
    ("y = a @ b", "y = a"),
    ("y -= a", "y += a"),
    ("y = a.T @ b", "y = a @ b"),
    ("y = -a", "y = a"),
    ("y = not a", "y = a"),
    ("y = a < b", "y = a <= b"),
    ("y = a and b", "y = a or b"),
    ("y = a.mean()", "y = a"),
    ("y = a.mean()", "y = a.sum()"),
    ("y = list(a)", "y = a"),
    ("y = f(a, b)", "y = f(b, a)"),
    ("y = f(a, dim=1)", "y = f(a)"),
    ("y = f(a, dim=1)", "y = f(a, dim=0)"),
    ("y = 2.0", "y = 4.0"),
    ("y = True", "y = False"),
    ("y = a, b", "y = b, a"),
    ("y = a if b else c", "y = a"),
    ("y = a", "pass"),
    ("with a: b()", "if True: b()"),
    ("if a: b()", "if True: b()"),
    ("if a: b()", "if False: b()"),
    ("for a in b: c()", "for a in list(b)[:1]: c()"),
    ("for a in b: c()", "for a in reversed(list(b)): c()"),
    ("y = [a for a in b if c]", "y = [a for a in b]"),
]


@pytest.mark.parametrize(("statement", "changed"), CHANGES, ids=[" to ".join(change) for change in CHANGES])
def test_a_change(statement, changed):
    """Each operator makes the change that it is there for, and says so."""
    found = {mutation.source: mutation for mutation in mutations(f"def f():\n    {statement}\n")}
    assert f"def f():\n    {changed}\n" in found
    assert found[f"def f():\n    {changed}\n"].change == f"- {statement}\n+ {changed}"
    assert found[f"def f():\n    {changed}\n"].line == 2


def test_what_says_nothing_is_left_alone():
    """Docstrings, imports, annotations and decorators have no mutants."""
    source = '"""One, 2."""\nimport torch as t\n\n\n@t.no_grad()\ndef f(a: list[1 + 1]) -> 3:\n    """Four."""\n'
    assert list(mutations(source)) == []


def test_every_mutant_of_the_solution_is_another_program(homework):
    """Each can be parsed, differs from the solution and from the others in its syntax tree; there are hundreds."""
    total = 0
    for file in homework.by_file:
        source = homework.path(f"{homework.solutions}/{file}").read_text(encoding="utf-8")
        trees = [ast.dump(ast.parse(text)) for text in (source, *(mutation.source for mutation in mutations(source)))]
        assert len(set(trees)) == len(trees)
        total += len(trees) - 1
    assert total > 300
