"""Generates mutants: small changes to a solution's syntax tree, each of which some check should notice.

The operators are the usual ones of mutation testing (DeMillo, Lipton and Sayward, Hints on test data selection, 1978;
Offutt et al., An experimental determination of sufficient mutant operators, 1996), and a few for tensors: a transpose,
a method or a `with` that is dropped.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

_OPERATORS: dict[type[cst.CSTNode], type[cst.CSTNode]] = {
    cst.Add: cst.Subtract,
    cst.Subtract: cst.Add,
    cst.Multiply: cst.Add,
    cst.Divide: cst.Multiply,
    cst.FloorDivide: cst.Divide,
    cst.MatrixMultiply: cst.Multiply,
    cst.Power: cst.Multiply,
    cst.Modulo: cst.FloorDivide,
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.AddAssign,
    cst.DivideAssign: cst.MultiplyAssign,
    cst.LessThan: cst.LessThanEqual,
    cst.LessThanEqual: cst.LessThan,
    cst.GreaterThan: cst.GreaterThanEqual,
    cst.GreaterThanEqual: cst.GreaterThan,
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
    cst.And: cst.Or,
    cst.Or: cst.And,
    cst.BitAnd: cst.BitOr,
    cst.BitOr: cst.BitAnd,
}
_PAIRS = (("mean", "sum"), ("max", "min"), ("argmax", "argmin"), ("zeros", "ones"), ("rand", "randn"), ("all", "any"))
_NAMES = {**dict(_PAIRS), **{two: one for one, two in _PAIRS}}


@dataclass(frozen=True)
class Mutation:
    """One changed solution.

    Attributes:
        line: where the change begins.
        change: the lines that differ, before and after, as `- before` and `+ after`; what a reader recognises it by.
        source: the whole file.
    """

    line: int
    change: str
    source: str


def mutations(source: str) -> Iterator[Mutation]:
    """Every mutant of a file, each changed in one place; docstrings, imports and annotations are left alone."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    found = _Places()
    wrapper.visit(found)
    positions = wrapper.resolve(PositionProvider)
    seen = {source}
    for old, new in found.changes:
        changed = cst.ensure_type(wrapper.module.deep_replace(old, new), cst.Module).code
        if changed not in seen:
            seen.add(changed)
            yield Mutation(positions[old].start.line, _change(source, changed), changed)


def _change(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if line[:3] not in ("---", "+++", "@@ "))


class _Places(cst.CSTVisitor):
    """Collects nodes and what to put in their place."""

    def __init__(self) -> None:
        self.changes: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def _add(self, old: cst.CSTNode, *new: cst.CSTNode) -> None:
        self.changes += [(old, node) for node in new]

    # -- what is left alone ----------------------------------------------------------------------------------------

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        return False

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Decorator(self, node: cst.Decorator) -> bool:
        return False

    # -- operators and constants -----------------------------------------------------------------------------------

    def on_visit(self, node: cst.CSTNode) -> bool:
        swapped = _OPERATORS.get(type(node))
        if swapped is not None:
            self._add(node, swapped())
        return super().on_visit(node)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        self._add(node, node.left, node.right)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        self._add(node, node.expression)

    def visit_Integer(self, node: cst.Integer) -> None:
        value = node.evaluated_value
        self._add(node, *(cst.Integer(str(other)) for other in {value + 1, 0, 1} - {value}))

    def visit_Float(self, node: cst.Float) -> None:
        value = node.evaluated_value
        self._add(node, cst.Float(repr(value * 2 or 1.0)), cst.Float(repr(value / 2 or 0.5)))

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in ("True", "False"):
            self._add(node, cst.Name("False" if node.value == "True" else "True"))

    # -- calls, attributes, containers -----------------------------------------------------------------------------

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Attribute):
            self._add(node, node.func.value)  # x.mean() becomes x
        elif len(node.args) == 1:
            self._add(node, node.args[0].value)  # list(x) becomes x
        for number, argument in enumerate(node.args):
            rest = [*node.args[:number], *node.args[number + 1 :]]
            self._add(node, node.with_changes(args=_commas(rest)))
            following = node.args[number + 1 :]
            if following and argument.keyword is None and following[0].keyword is None:
                swapped = [*node.args[:number], following[0], argument, *following[1:]]
                self._add(node, node.with_changes(args=_commas(swapped)))

    def visit_Attribute(self, node: cst.Attribute) -> None:
        if node.attr.value in ("T", "mT", "data", "grad"):
            self._add(node, node.value)
        if node.attr.value in _NAMES:
            self._add(node, node.with_changes(attr=cst.Name(_NAMES[node.attr.value])))

    def visit_Tuple(self, node: cst.Tuple) -> None:
        if len(node.elements) > 1:
            elements = [element.with_changes(comma=cst.MaybeSentinel.DEFAULT) for element in reversed(node.elements)]
            self._add(node, node.with_changes(elements=elements))

    # -- statements ------------------------------------------------------------------------------------------------

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        (first, *_) = node.body
        if isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString | cst.ConcatenatedString):
            return False  # a docstring
        if not isinstance(first, cst.Import | cst.ImportFrom | cst.Pass):
            self._add(node, node.with_changes(body=[cst.Pass()]))
        return True

    def visit_With(self, node: cst.With) -> None:
        self._add(node, cst.If(test=cst.Name("True"), body=node.body, leading_lines=node.leading_lines))

    def visit_If(self, node: cst.If) -> None:
        self._add(node, *(node.with_changes(test=cst.Name(word)) for word in ("True", "False")))

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._add(node, node.body, node.orelse)

    def visit_For(self, node: cst.For) -> None:
        items = _call("list", node.iter)
        first = cst.SubscriptElement(cst.Slice(lower=None, upper=cst.Integer("1")))
        self._add(node, node.with_changes(iter=cst.Subscript(items, [first])))
        self._add(node, node.with_changes(iter=_call("reversed", items)))

    def visit_CompFor(self, node: cst.CompFor) -> None:
        if node.ifs:
            self._add(node, node.with_changes(ifs=[]))


def _call(function: str, argument: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.Name(function), [cst.Arg(argument)])


def _commas(arguments: list[cst.Arg]) -> list[cst.Arg]:
    """Arguments with the commas that their places need."""
    return [argument.with_changes(comma=cst.MaybeSentinel.DEFAULT) for argument in arguments]
