# Generated from autograder/example.py; do not edit.
"""The smallest input that shows a failure, as code that can be pasted and run, and the Jacobians at that input.

Both are read off the check itself: of its statements those that the student's code takes part in, with the values
that its other variables had when it failed.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy
import torch
from torch import Tensor

from .comparison import beside, number, steps, table

SUBJECT = "hw"  # what checks call the student's code
MAX_ENTRIES = 40  # of a tensor that is written out
MAX_CODE = 3_000  # characters
MAX_JACOBIAN = 64  # rows, and columns
SHOWN = 6  # rows and columns of a Jacobian
STEP = 1e-6  # of finite differences, in float64
CLOSE = 1e-4  # relative; finite differences are no better than that where numbers are large


class _CannotSay(Exception):
    """A value cannot be written out, or would not be what it was before the check ran."""


@dataclass(frozen=True)
class Place:
    """Where a check failed: its innermost function that has the student's code at hand.

    Attributes:
        frame: of that function.
        body: its statements up to the failing one, as they ran: what lies in a branch or a loop has been taken out.
        failing: the last of them.
    """

    frame: FrameType
    body: Sequence[ast.stmt]
    failing: ast.stmt

    @property
    def values(self) -> Mapping[str, Any]:
        """The function's variables."""
        return self.frame.f_locals


def places_of(traceback: TracebackType | None, file: str) -> list[Place]:
    """Find where in a check's file it failed: the functions that have the student's code at hand, innermost first."""
    found = []
    for frame, line in reversed(list(steps(traceback))):
        if frame.f_code.co_filename == file and SUBJECT in frame.f_locals and (body := _body(frame, line)):
            found.append(Place(frame, body, body[-1]))
    return found


def statement(frame: FrameType, line: int) -> ast.stmt:
    """The statement that a frame is at; `pass` if its source cannot be read."""
    return (_body(frame, line) or [ast.Pass()])[-1]


def _body(frame: FrameType, line: int) -> list[ast.stmt]:
    """The statements of a frame's function that lead to a line; none if they cannot be read."""
    try:
        lines, first = inspect.getsourcelines(frame.f_code)
        function = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, SyntaxError, IndexError):
        return []
    return list(_until(function.body, line - first + 1)) if isinstance(function, ast.FunctionDef) else []


def _until(body: Iterable[ast.stmt], line: int) -> Iterable[ast.stmt]:
    """The statements that lead to a line: of a loop, a branch or a `with` around it, only what is inside."""
    for statement in body:
        if statement.lineno > line:
            return
        inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(statement, name, [])]
        if inner and inner[0].lineno <= line <= (statement.end_lineno or 0):
            yield from _until(inner, line)
        else:
            yield statement


# -- code --------------------------------------------------------------------------------------------------------------


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


def of_student(body: Iterable[ast.stmt]) -> set[str]:
    """The names of what comes from the student's code, in a function's statements."""
    found = {SUBJECT}
    for statement in body:
        if loads(statement) & found:
            found |= stores(statement)
    return found


def gave_none(place: Place) -> bool:
    """Whether a call of the student's code, of whose result the failing statement makes use, returned None."""
    student = of_student(place.body)
    made = {name: s.value for s in place.body if isinstance(s, ast.Assign) for name in stores(s)}
    named = {name for name in loads(place.failing) & made.keys() if place.values.get(name) is None}
    if any(_calls(made[name], student) for name in named):
        return True
    used = [node.value for node in ast.walk(place.failing) if isinstance(node, ast.Attribute)]
    used += [node.args[0] for node in ast.walk(place.failing) if isinstance(node, ast.Call) and node.args]
    attributes = any(isinstance(node, ast.Name) and node.id in student - {SUBJECT} for node in used)
    return not attributes and any(_calls(node, student) for node in used)


def _calls(node: ast.expr, student: Collection[str]) -> bool:
    """Whether an expression is a call of the student's code itself: `hw.f(x)`, `layer(X)`, `hw.ReLU()(X)`."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    while isinstance(called, ast.Attribute):
        called = called.value
    return (
        _calls(called, student) if isinstance(called, ast.Call) else loads(called) <= {*student} and bool(loads(called))
    )


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


def loads(node: ast.AST) -> set[str]:
    """The names that a piece of code reads; those of a comprehension are its own."""
    return _names(node, ast.Load)


def stores(node: ast.AST) -> set[str]:
    """The names that a piece of code sets."""
    return _names(node, ast.Store)


def _names(node: ast.AST, kind: type[ast.expr_context]) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, kind) else set()
    found: set[str] = set().union(*(_names(child, kind) for child in ast.iter_child_nodes(node)))
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        found -= set().union(*(_names(part.target, ast.Store) for part in node.generators))
    return found


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


# -- Jacobians ---------------------------------------------------------------------------------------------------------


def jacobians(error: BaseException, place: Place | None) -> str:
    """Two Jacobians side by side where backward and finite differences disagree; nothing where they cannot be had."""
    try:
        found = _of_gradcheck(error) or (place and _of_check(place))
        if not found:
            return ""
        function, inputs = found
        return _compared(function, inputs)
    except Exception:  # student code runs here once more, and may do anything that it did not do in the check
        return ""


Inputs = dict[str, Tensor]


def _of_gradcheck(error: BaseException) -> tuple[Callable[[], Tensor], Inputs] | None:
    """The function and the inputs of a gradcheck that said no."""
    for frame, _ in steps(error.__traceback__):
        if frame.f_code is torch.autograd.gradcheck.__code__:
            function, inputs = frame.f_locals["func"], frame.f_locals["inputs"]
            given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
            named = {f"input {number}": tensor for number, tensor in enumerate(given, 1) if tensor.requires_grad}
            return functools.partial(function, *given), named
    return None


def _of_check(place: Place) -> tuple[Callable[[], Tensor], Inputs] | None:
    """The result and the inputs of `torch.autograd.grad(result, inputs, ...)`, where a check has come that far."""
    for statement in place.body:
        for node in ast.walk(statement):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="grad") | ast.Name(id="gradients"),
                    args=[result, ast.Tuple() | ast.List() as inputs, *_],
                ):
                    found = _recomputed(place, statement, result, inputs.elts)
                case ast.Call(func=ast.Attribute(attr="grad"), args=[result, ast.Name() as one, *_]):
                    found = _recomputed(place, statement, result, [one])
                case _:
                    found = None
            if found:
                return found
    return None


def _recomputed(
    place: Place, until: ast.stmt, result: ast.expr, inputs: Sequence[ast.expr]
) -> tuple[Callable[[], Tensor], Inputs] | None:
    """A function that computes a result again from inputs as they are now; None if the student has no part in it."""
    roots = {name for expression in inputs for name in loads(expression)}
    student, again = {SUBJECT}, []
    for statement in place.body[: place.body.index(until)]:
        if loads(statement) & student:
            student |= stores(statement)
        if isinstance(statement, ast.Assign) and loads(statement) & roots and not stores(statement) & roots:
            roots |= stores(statement)
            again.append(statement)
    if not loads(result) & student:
        return None
    module = compile(ast.fix_missing_locations(ast.Module(list(again), [])), "<check>", "exec")
    expression = compile(ast.Expression(result), "<check>", "eval")
    scope = {**place.frame.f_globals, **place.values}

    def compute() -> Tensor:
        local = dict(scope)
        exec(module, local)
        return eval(expression, local)

    named = {ast.unparse(e): eval(compile(ast.Expression(e), "<check>", "eval"), dict(scope)) for e in inputs}
    return compute, named


def _compared(function: Callable[[], Tensor], inputs: Inputs) -> str:
    tensors = list(inputs.values())
    if any(t.dtype is not torch.float64 or not t.is_leaf for t in tensors):
        return ""
    columns = [(name, _index(index)) for name, t in inputs.items() for index in numpy.ndindex(*t.shape)]
    result = function()
    if not 0 < result.numel() <= MAX_JACOBIAN or not 0 < len(columns) <= MAX_JACOBIAN:
        return ""
    backward = _backward(function, result, tensors)
    differences = _differences(function, tensors)
    wrong = ~torch.isclose(backward, differences, rtol=CLOSE, atol=CLOSE * max(1.0, differences.abs().max().item()))
    if not wrong.any():
        return ""
    row, column = wrong.nonzero()[0].tolist()
    rows = [_index(index) for index in numpy.ndindex(*result.shape)]
    name, at = columns[column]
    own = [i for i, (other, _) in enumerate(columns) if other == name]
    high, wide = _window(range(len(rows)), row), _window(own, column)
    blocks = [
        table(
            [
                [title, *(columns[j][1] or name for j in wide)],
                *([rows[i] or "result", *(_cell(matrix, i, j, row, column) for j in wide)] for i in high),
            ]
        )
        for title, matrix in (("backward", backward), ("differences", differences))
    ]
    whole = len(high) == len(rows) and len(wide) == len(own)
    part = "" if whole else f", a part of {len(rows)} rows and {len(own)} columns"
    said, true = number(backward[row, column].item(), differences[row, column].item())
    return "\n".join(
        [
            *beside(*blocks),
            "",
            f"A row is for an entry of the result, a column for one of {name}{part}. The first that differs has a *:",
            f"d result{rows[row]} / d {name}{at} is {said} by backward, {true} by finite differences.",
        ]
    )


def _index(index: Sequence[int]) -> str:
    return str(list(index)) if index else ""


def _window(places: Sequence[int], around: int) -> Sequence[int]:
    """As many neighbouring places as are shown, with a given one among them."""
    first = max(0, min(places.index(around) - 1, len(places) - SHOWN))
    return places[first : first + SHOWN]


def _cell(matrix: Tensor, i: int, j: int, row: int, column: int) -> str:
    return f"{'*' if (i, j) == (row, column) else ''}{matrix[i, j] + 0.0:.4g}"  # 0 for -0


def _backward(function: Callable[[], Tensor], result: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """A row an entry of the result, a column an entry of the inputs: what backward says."""
    rows = []
    for upstream in torch.eye(result.numel(), dtype=result.dtype):
        found = torch.autograd.grad(function(), inputs, upstream.view(result.shape), allow_unused=True)
        parts = [torch.zeros_like(t) if g is None else g for g, t in zip(found, inputs, strict=True)]
        rows.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(rows)


def _differences(function: Callable[[], Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """The same by central differences; the inputs are as they were afterwards."""
    columns = []
    with torch.no_grad():
        for tensor in inputs:
            for index in numpy.ndindex(*tensor.shape):
                before = tensor[index].item()
                values = []
                for step in (STEP, -STEP):
                    tensor[index] = before + step
                    values.append(function().detach().flatten())
                tensor[index] = before
                columns.append((values[0] - values[1]) / (2 * STEP))
    return torch.stack(columns, 1)
