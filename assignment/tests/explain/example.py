# Generated from autograder/example.py; do not edit.
"""The smallest input that shows a failure, as code that can be pasted and run.

It is read off the check itself: of its statements those that the student's code takes part in, with the values that its
other variables had when it failed.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from .places import SUBJECT, Place, loads, of_student, stores

MAX_ENTRIES = 40  # of a tensor that is written out
MAX_CODE = 3_000  # characters


class _CannotSay(Exception):
    """A value cannot be written out, or would not be what it was before the check ran."""


def code(places: Sequence[Place], provider: Mapping[str, str]) -> str:
    """Python code that shows the failure, or nothing where it would be no better than the check.

    Args:
        places: where the check failed, the innermost first.
        provider: the module of each name that `hw` has.
    """
    for place in places:
        for lines in (_with_values, _as_written):
            try:
                text = "\n".join(lines(place, provider))
                whole = "\n".join([*_header(text, place, provider), text])
            except (_CannotSay, RecursionError):
                continue
            if len(whole) <= MAX_CODE:
                return whole
    return ""


def _with_values(place: Place, provider: Mapping[str, str]) -> list[str]:
    """The statements of the student's part, after the values of all other variables.

    Raises:
        _CannotSay: a value cannot be written out.
    """
    kept = _needed(place, through_student=True)
    if any(_draws(statement, place) for statement in kept):
        raise _CannotSay("numbers that are drawn on the way")
    names = {name for statement in kept for name in loads(statement)} - {SUBJECT}
    made = {name for statement in kept for name in stores(statement)}
    given = sorted(sorted((names & place.values.keys()) - made), key=_order(place))
    plain = _plain(given, place, kept)
    return [*(_given(place, name) for name in given if name not in plain), *_direct(kept, provider, plain)]


def _as_written(place: Place, provider: Mapping[str, str]) -> list[str]:
    """All statements that lead to the failure as the check has them, after its arguments.

    Raises:
        _CannotSay: an argument cannot be written out.
    """
    kept = _needed(place, through_student=False)
    names = {name for statement in kept for name in loads(statement)} - {SUBJECT}
    made = {name for statement in kept for name in stores(statement)}
    given = sorted((names & place.values.keys()) - made)
    plain = _plain(given, place, kept)
    lines = [f"{name} = {literal(place.values[name])}" for name in given if name not in plain]
    lines += _direct(kept, provider, plain)
    return ["torch.manual_seed(0)", *lines] if any(_draws(statement, place) for statement in kept) else lines


def _draws(statement: ast.stmt, place: Place) -> bool:
    """Whether a statement draws random numbers, itself or by making a layer."""
    called = {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
    if any(name.startswith("rand") or name == "normal_" for name in called):
        return True
    made = {name: place.values.get(name) for name in stores(statement)}
    drawn = {
        f"{name}.{parameter}.data"
        for name, module in made.items()
        if isinstance(module, torch.nn.Module)
        for parameter, _ in module.named_parameters()
    }
    return not drawn <= _overwritten(place)


def _overwritten(place: Place) -> set[str]:
    """What the check gives its own values: `layer.weight.data` in `layer.weight.data.copy_(weight)`."""
    calls = [node.func for statement in place.body for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return {ast.unparse(call.value) for call in calls if isinstance(call, ast.Attribute) and call.attr == "copy_"}


def _plain(names: Iterable[str], place: Place, kept: Sequence[ast.stmt]) -> dict[str, Any]:
    """Of some variables those whose value can stand in the place of their name: numbers, words and shapes."""
    bound = {
        node.id
        for statement in kept
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    return {name: place.values[name] for name in names if name not in bound and _is_plain(place.values[name])}


def _is_plain(value: Any) -> bool:
    if type(value) is tuple:
        return all(type(item) is int for item in value)
    return type(value) in (bool, int, str) or (type(value) is float and abs(value) < float("inf"))


def _direct(kept: Sequence[ast.stmt], provider: Mapping[str, str], plain: Mapping[str, Any]) -> list[str]:
    direct, lines = _Direct(provider, plain), []
    for statement in kept:
        changed = ast.fix_missing_locations(direct.visit(_copy(statement)))
        if direct.supports & stores(changed):  # layers = hw.support("layers"): the import has made it
            if not isinstance(changed, ast.Assign) or not isinstance(changed.value, ast.Name):
                raise _CannotSay("a module's name is that of something else, too")
        else:
            lines.append(ast.unparse(changed))
    return lines


def _order(place: Place) -> Callable[[str], int]:
    """Variables in the order in which the check makes them; its arguments first."""
    made = [name for statement in place.body for name in stores(statement)]
    return lambda name: made.index(name) if name in made else -1


def _needed(place: Place, *, through_student: bool) -> list[ast.stmt]:
    """The statements that lead to the failure, or those of them that the student's code takes part in."""
    student = of_student(place.body)
    last = _looked_at(place)
    kept, needed = [last], loads(last)
    looked_at = needed - {SUBJECT}
    unmade = not needed & student  # what is looked at was made by the check: student code may have changed it
    for statement in reversed(place.body[:-1]):
        if _is_assertion(statement) or (through_student and not loads(statement) & student):
            continue
        called_with = loads(statement) & looked_at if SUBJECT in loads(statement) else ()
        acts = _acts(statement) or called_with or (unmade and loads(statement) & student)
        if stores(statement) & needed or (acts and (through_student or loads(statement) & needed)):
            kept.append(statement)
            needed |= loads(statement)
    return kept[::-1]


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement changes what it names, without naming it anew."""
    match statement:
        case ast.For(body=body) | ast.With(body=body) | ast.If(body=body) | ast.While(body=body):
            return any(_acts(inner) for inner in body if not _is_assertion(inner))
        case ast.Assign(targets=targets):
            return any(not isinstance(target, ast.Name | ast.Tuple) for target in targets)
    return not isinstance(statement, ast.AnnAssign)


def _is_assertion(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
            return name.startswith("assert")
    return False


def _looked_at(place: Place) -> ast.stmt:
    """What to print instead of the assertion that failed; any other statement raises by itself."""
    match place.failing:
        case ast.Assert(test=test):
            shown = _seen(test)
        case ast.Expr(value=ast.Call(args=[seen, *_], func=ast.Name(id=name) | ast.Attribute(attr=name))) if (
            name.startswith("assert") and "gradcheck" not in name and SUBJECT not in _bare(place.failing)
        ):
            shown = seen
        case failing:
            return failing
    call = ast.Expr(ast.Call(ast.Name("print", ast.Load()), [_Named(place).visit(_copied(shown))], []))
    return ast.fix_missing_locations(call)


def _seen(test: ast.expr) -> ast.expr:
    """Of a condition, what it is about."""
    match test:
        case ast.Compare(left=seen) | ast.UnaryOp(operand=seen) | ast.Call(args=[seen, *_]):
            return _seen(seen)
        case ast.BoolOp(values=[first, *_]):
            return _seen(first)
    return test


def _bare(statement: ast.Expr) -> set[str]:
    """The names that are arguments of a call by themselves."""
    return {node.id for node in getattr(statement.value, "args", ()) if isinstance(node, ast.Name)}


class _Named(ast.NodeTransformer):
    """A loop's variable is what the loop goes over: `gradient` is `gradients[1]`, or `got_Y`."""

    def __init__(self, place: Place):
        made = [name for statement in place.body for name in sorted(stores(statement))]
        self.place, self.made = place, list(dict.fromkeys(made))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Find the same object under another name."""
        values = self.place.values
        if node.id in self.made or node.id not in values or isinstance(values[node.id], bool | int | str):
            return node
        for name in self.made:
            value = values.get(name)
            if value is values[node.id]:
                return ast.Name(name, ast.Load())
            if isinstance(value, tuple | list):
                for index, item in enumerate(value):
                    if item is values[node.id]:
                        return ast.parse(f"{name}[{index}]", mode="eval").body
        return node


def _given(place: Place, name: str) -> str:
    """A line that gives a variable the value that it had: as the check writes it, or written out."""
    made = _constant(place, name)
    return ast.unparse(made) if made else f"{name} = {literal(place.values[name])}"


def has_changed(place: Place, name: str) -> bool:
    """Whether a tensor that the check has as a constant is another one by now."""
    made = _constant(place, name)
    if made is None or not isinstance(made.targets[0], ast.Name):
        return False
    before, now = eval(compile(ast.Expression(made.value), "<check>", "eval"), {"torch": torch}), place.values[name]
    return not (before.dtype == now.dtype and torch.equal(before, now))


def _constant(place: Place, name: str) -> ast.Assign | None:
    """The statement that gives a variable its value, if there is one and it gives the same each time."""
    made = [statement for statement in place.body if name in stores(statement)]
    return made[0] if len(made) == 1 and isinstance(made[0], ast.Assign) and _is_constant(made[0].value) else None


def _is_constant(value: ast.expr) -> bool:
    """Whether an expression gives the same each time: numbers, and torch's functions of them that draw nothing."""
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    drawn = [node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute) if node.attr.startswith("rand")]
    return names <= {"torch", "True", "False", "None"} and not drawn


def literal(value: Any) -> str:
    """A value as an expression.

    Raises:
        _CannotSay: there is none that is short.
    """
    match value:
        case None | bool() | int() | str() | torch.dtype():
            return repr(value)
        case float():
            return repr(value) if abs(value) < float("inf") else f"float({str(value)!r})"
        case torch.Size():
            return repr(tuple(value))
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case tuple():
            return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
        case dict():
            return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
        case Tensor():
            return _tensor(value)
    raise _CannotSay


def _tensor(value: Tensor) -> str:
    """A tensor written out: not a Parameter, nor one that was changed in place, for it is not what it was."""
    if type(value) is not Tensor or value.numel() > MAX_ENTRIES or value._version or value.is_complex():
        raise _CannotSay
    empty = 0 in value.shape
    entries = f"torch.zeros({tuple(value.shape)}" if empty else f"torch.tensor({_entries(value.detach())}"
    plain = value.dtype is torch.float32 or (value.dtype in (torch.int64, torch.bool) and not empty)
    dtype = "" if plain else f", dtype={value.dtype}"
    written = f"{entries}{dtype}{', requires_grad=True' if value.requires_grad else ''})"
    return written if len(written) < 100 else written.replace("], ", "],\n    ")


def _entries(value: Tensor) -> str:
    if value.dim():
        return f"[{', '.join(_entries(row) for row in value)}]"
    if not value.is_floating_point():
        return repr(value.item())
    short = value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
    number: Any = short.numpy()[()]
    text = (
        numpy.format_float_positional(number, trim="0")
        if 1e-4 <= abs(number) < 1e6 or number == 0
        else repr(number.item())
    )
    return text if numpy.isfinite(number) else f"float({str(number)!r})"


class _Direct(ast.NodeTransformer):
    """`hw.Linear` is `Linear` on a student's machine, `hw.support("layers")` the module `layers`, a number itself."""

    def __init__(self, provider: Mapping[str, str], plain: Mapping[str, Any]):
        self.provider, self.plain = provider, plain
        self.supports: set[str] = set()

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Take the value."""
        return ast.Constant(self.plain[node.id]) if node.id in self.plain else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Take the name itself."""
        if isinstance(node.value, ast.Name) and node.value.id == SUBJECT and node.attr in self.provider:
            return ast.Name(node.attr, ast.Load())
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Take the module of support code itself."""
        match node:
            case ast.Call(func=ast.Attribute(ast.Name(id="hw"), attr="support"), args=[ast.Constant(str(name))]):
                self.supports.add(name)
                return ast.Name(name, ast.Load())
        return self.generic_visit(node)


def _header(text: str, place: Place, provider: Mapping[str, str]) -> list[str]:
    """What code needs before it: imports of torch, of the student's own names and of support code, helpers.

    Raises:
        _CannotSay: it needs something else.
    """
    scope, file = place.frame.f_globals, place.frame.f_code.co_filename
    helpers: dict[str, str] = {}
    waiting = sorted(_free(ast.parse(text)))
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        value = scope.get(name)
        if inspect.isfunction(value) and value.__code__.co_filename == file:
            if name not in helpers:
                helpers[name] = inspect.getsource(value).rstrip()
                waiting += sorted(_free(ast.parse(helpers[name])))
        else:
            used.add(name)
    found = _imports_of(file)
    found |= {name: f"from {module} import {name}" for name, module in provider.items()}
    found |= {path.stem: f"from tests.support import {path.stem}" for path in Path(file).parent.glob("support/*.py")}
    found[SUBJECT] = "from tests.conftest import Homework"
    if used - found.keys():
        raise _CannotSay(used - found.keys())
    lines = sorted({found[name] for name in used})
    given = sorted(
        (line for line in lines if line in _imports_of(file).values()), key=lambda line: line.split()[0] == "from"
    )
    own = [line for line in lines if line not in given]
    blocks = [
        given,
        own,
        ["hw = Homework()"] if SUBJECT in used else [],
        *(["", source, ""] for source in helpers.values()),
    ]
    return [line for block in blocks if block for line in [*block, ""]]


def _imports_of(file: str) -> dict[str, str]:
    """By name, the import at the top of a file that brings it; not those of its siblings."""
    found: dict[str, str] = {}
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name): ast.unparse(ast.Import([alias])) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {
                (alias.asname or alias.name): ast.unparse(ast.ImportFrom(node.module, [alias], 0))
                for alias in node.names
            }
    return found


def _free(tree: ast.AST) -> set[str]:
    """The names that code reads and does not set, built-in ones left out."""
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | stores(tree) | set(dir(builtins))
    return loads(tree) - bound


def _copied(expression: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(expression), mode="eval").body


def _copy(statement: ast.stmt) -> ast.stmt:
    copied = ast.parse(ast.unparse(statement)).body[0]
    for node in ast.walk(copied):
        if isinstance(node, ast.For | ast.With | ast.If | ast.While):
            node.body = [inner for inner in node.body if not _is_assertion(inner)] or [ast.Pass()]
    for node in ast.walk(copied):  # what the check says if it fails is not for an example
        if isinstance(node, ast.Call):
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "msg"]
    return copied
