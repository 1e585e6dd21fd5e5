"""What a Python file uses, read from its syntax tree: the facts that bans are judged by. Nothing is run.

This runs in a worker, beside nothing of the student's, and imports nothing of ours. Names are followed as
Python binds them: through imports, assignments, default arguments, `getattr`, `vars`, `sys.modules` and the
scopes that shadow them. The order of statements is not: a name stands for all that it is ever bound to. A use
is `[scope, name, line]`, with names such as these:

- `torch.relu`: that very thing, by whatever name it was reached; `relu.helper`: the file's own function.
- `.relu`: an attribute of that name on something that cannot be followed, such as a tensor.
- `torch.nn.*`: `from torch.nn import *`.
- `torch.nn.?`: something of torch.nn, but not visibly what: `getattr(nn, name)`, or `nn` as an argument.

The scope is the function or class around it, such as `MatMul.backward`. An assignment to a name of a module
or a class is a scope of that name, because the name may be called later. Left out are annotations, the blocks
of `if __name__ == "__main__":` and `if TYPE_CHECKING:`, and imports that serve only these.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

MAX_USES = 5000
MAX_NAME = 200
MAX_MODULES = 500  # imports, and exports
MAX_VALUES = 100  # things that one expression can stand for
MAX_TEXT = 1000  # characters of a string put together from constants
ROUNDS = 8  # an alias of an alias: each round follows one more, in the order of the file all at once

# Built-ins that reach or wrap things, or run what cannot be read; the others are not looked at.
_BUILTINS = {
    *("__import__", "breakpoint", "classmethod", "compile", "eval", "exec", "getattr", "globals", "locals"),
    *("object", "open", "setattr", "staticmethod", "vars"),
}
_IMPORTERS = {"builtins.__import__", "importlib.__import__", "importlib.import_module"}
_NAMESPACE = re.compile(r"^sys\.modules$|\.__dict__$")
_NAMESPACES = {"builtins.globals", "builtins.locals", "builtins.vars"}
# Built-ins that do not hand their argument on.
_KEEPS = {
    "callable",
    "dir",
    "hasattr",
    "help",
    "id",
    "isinstance",
    "issubclass",
    "print",
    "repr",
    "str",
    "type",
}
_ANNOTATION_READERS = re.compile(r"__annotations__|__annotate__|get_type_hints|get_annotations|signature")
_REGISTERS = {"register_buffer", "register_parameter", "register_module", "add_module"}


def facts_of(source: bytes, filename: str) -> dict[str, Any]:
    """Read the facts of one file.

    Returns:
        JSON-able and bounded: `error` is None, or `[line, message]` where the file is not Python; `complete`
        is False when there was more than could be read; `uses` as above; `imports` the modules that it
        imports; `exports` `[name, thing]` for the module's names that stand for something imported.
    """
    facts: dict[str, Any] = {"error": None, "complete": True, "uses": [], "imports": [], "exports": []}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a "\d" in a string is not our affair
            text = source.decode("utf-8-sig")
            tree = ast.parse(text)
        reader = _Reader(filename.removesuffix(".py"), tree, text)
        return facts | reader.read()
    except SyntaxError as error:
        facts["error"] = [max(0, error.lineno or 0), str(error.msg)[:MAX_NAME]]
    except ValueError as error:  # not UTF-8, a NUL, an endless number
        facts["error"] = [0, str(error)[:MAX_NAME]]
    except (RecursionError, MemoryError):
        facts |= {"error": [0, "nested too deeply to be read"], "complete": False}
    return facts


_Source: TypeAlias = "str | tuple[ast.expr, _Scope]"  # a thing, or an expression and where it is read


class _Binding:
    """A name of one scope: what it is bound to, and what that can be."""

    def __init__(self) -> None:
        self.sources: list[_Source] = []
        self.values: tuple[str, ...] = ()
        self.opaque = False  # bound to something else, too
        self.is_self = False  # the first parameter of a method
        self.read = False
        self.read_exempt = False

    def is_plain(self) -> bool:
        """Whether it is only imported or defined, never assigned."""
        return all(isinstance(source, str) for source in self.sources)


class _Scope:
    def __init__(self, kind: str, parent: _Scope | None):
        self.kind = kind  # module, class, function or comprehension
        self.parent = parent
        self.names: dict[str, _Binding] = {}
        self.declared: dict[str, _Scope] = {}  # by global and nonlocal

    def find(self, name: str) -> _Binding | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.declared:
                return scope.declared[name].names.get(name)
            if name in scope.names and (scope is self or scope.kind != "class"):
                return scope.names[name]
            scope = scope.parent
        return None

    def function_around(self) -> _Scope:
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope


class _Reader(ast.NodeVisitor):
    """Walks the tree twice: to bind names, then, when it is known what they stand for, to record uses."""

    def __init__(self, stem: str, tree: ast.Module, text: str):
        self.stem = stem
        self.tree = tree
        self.binding = True
        self.module = self.scope = _Scope("module", None)
        self.label = ""
        self.scopes: dict[ast.AST, _Scope] = {}
        self.bindings: list[_Binding] = []
        self.attributes: dict[str, _Binding] = {}  # by name, whatever they are attributes of
        self.own: set[str] = set()  # the file's classes and functions
        self.classes: set[str] = set()
        self.stars: list[str] = []
        self.uses: dict[tuple[str, str], int] = {}
        self.modules: dict[str, None] = {}
        self.imported: list[tuple[str, str, int, _Binding | None]] = []
        self.complete = True
        self.sees_all = False  # globals() and the like: any import may be read through it
        self.annotations_exempt = not _ANNOTATION_READERS.search(text)
        self.rebound = _rebound(tree)

    def read(self) -> dict[str, Any]:
        self.visit(self.tree)
        for _ in range(ROUNDS):
            if not any([self._follow(binding) for binding in self.bindings]):
                break
        self.binding = False
        self.visit(self.tree)
        for label, name, line, bound in self.imported:
            if bound is None or bound.read or not bound.read_exempt or self.sees_all:
                self.uses.setdefault((label, _cut(name)), line)
        exports = {("*", _cut(module)) for module in self.stars} | {
            (name, _cut(value))
            for name, binding in self.module.names.items()
            for value in binding.values
            if value not in self.own and len(name) <= MAX_NAME
        }
        uses = sorted([scope, name, line] for (scope, name), line in self.uses.items())
        modules = [name for name in self.modules if len(name) <= MAX_NAME]
        fits = len(uses) <= MAX_USES and len(modules) <= MAX_MODULES and len(exports) <= MAX_MODULES
        return {
            "complete": self.complete and fits,
            "uses": uses[:MAX_USES],
            "imports": modules[:MAX_MODULES],
            "exports": [list(pair) for pair in sorted(exports)[:MAX_MODULES]],
        }

    # -- what names stand for --------------------------------------------------------------------------------

    def bind(self, name: str, *sources: _Source, scope: _Scope | None = None) -> _Binding | None:
        if not self.binding:
            return None
        scope = scope or self.scope
        scope = scope.declared.get(name, scope)
        bound = self._bound(scope.names, name, sources)
        if scope.kind == "class":
            self._bound(self.attributes, name, sources)
        return bound

    def _bound(self, table: dict[str, _Binding], name: str, sources: Sequence[_Source]) -> _Binding:
        if name not in table:
            table[name] = _Binding()
            self.bindings.append(table[name])
        bound = table[name]
        bound.sources.extend(sources)
        bound.opaque |= not sources
        return bound

    def _follow(self, binding: _Binding) -> bool:
        """Bring a binding's values up to date; whether they changed."""
        found = set(binding.values)
        for source in binding.sources:
            found.update([source] if isinstance(source, str) else self.resolve(*source))
            if len(found) > MAX_VALUES:
                self.complete = False
                break
        values = tuple(sorted(found)[:MAX_VALUES])
        changed = values != binding.values
        binding.values = values
        return changed

    def resolve(self, node: ast.expr, scope: _Scope) -> set[str]:
        """What an expression can stand for, as dotted names; empty if that cannot be told."""
        found = self._resolve(node, scope)
        if len(found) <= MAX_VALUES:
            return found
        self.complete = False
        return set(sorted(found)[:MAX_VALUES])

    def _resolve(self, node: ast.expr, scope: _Scope) -> set[str]:
        match node:
            case ast.Name(id=name):
                return self._named(name, scope)
            case ast.Attribute(value=base, attr=attr):
                return self._attribute(self.resolve(base, scope), attr)
            case ast.Subscript(value=base, slice=key):
                return self._item(self.resolve(base, scope), self.constant(key, scope))
            case ast.Call(func=func):
                values = self.resolve(func, scope)
                special = self.special(node, values, scope)
                return values & self.classes if special is None else special
            case ast.NamedExpr(value=value) | ast.Starred(value=value) | ast.Await(value=value):
                return self.resolve(value, scope)
            case ast.IfExp(body=body, orelse=orelse):
                return self.resolve(body, scope) | self.resolve(orelse, scope)
            case ast.BoolOp(values=values):
                return set().union(*(self.resolve(value, scope) for value in values))
        return set()

    def _named(self, name: str, scope: _Scope) -> set[str]:
        binding = scope.find(name)
        if binding is not None:
            return set(binding.values)
        if name == "__builtins__":
            return {"builtins"}
        if name in _BUILTINS:
            return {f"builtins.{name}"}
        return set() if hasattr(builtins, name) else {_join(module, name) for module in self.stars}

    def _attribute(self, values: set[str], attr: str) -> set[str]:
        bound = self.attributes.get(attr)
        found = set(bound.values) if bound and (not values or values & self.own) else set()
        for value in values:
            if value not in self.own:
                found.add(_join(value, attr))
            elif bound is not None:
                found.add(f"{value}.{attr}")
        return found

    def _item(self, values: set[str], key: str | None) -> set[str]:
        found: set[str] = set()
        for value in values:
            base = value.removesuffix(".__dict__")
            if value == "sys.modules":
                found.add(key if key and _is_dotted(key) else "sys.modules.?")
            elif base == self.stem:
                bound = self.module.names.get(key or "")
                found.update(bound.values if bound else ())
            elif base != value or value == "builtins":
                found.add(_join(base, key if key and key.isidentifier() else "?"))
        return found

    def special(self, call: ast.Call, values: set[str], scope: _Scope) -> set[str] | None:
        """What a call of these functions gives, if they reach or wrap a thing; None for an ordinary call."""
        found: set[str] = set()
        known = False
        arguments = call.args
        first = self.resolve(arguments[0], scope) if arguments and values else set()
        text = self.constant(arguments[0], scope) if arguments and values else None
        for value in values:
            owner, _, last = value.rpartition(".")
            match value:
                case "builtins.getattr" | "builtins.object.__getattribute__" if len(arguments) >= 2:
                    key = self.constant(arguments[1], scope) or ""
                    hidden = {_join(thing, "?") for thing in first}
                    found |= self._attribute(first, key) if key.isidentifier() else hidden
                case "builtins.vars" if arguments:
                    found |= {_join(thing, "__dict__") for thing in first}
                case _ if value in _NAMESPACES:
                    found.add(f"{self.stem}.__dict__")
                case _ if value in _IMPORTERS:
                    found.add(_module(call, value, text))
                case "functools.partial" | "builtins.staticmethod" | "builtins.classmethod" if arguments:
                    found |= first
                case _ if last in ("get", "__getitem__", "pop") and _NAMESPACE.search(owner):
                    found |= self._item({owner}, text)
                case _ if last == "__getattribute__" and arguments:
                    found.add(_join(owner, text if text and text.isidentifier() else "?"))
                case _:
                    continue
            known = True
        return found if known else None

    def constant(self, node: ast.expr, scope: _Scope, depth: int = 0) -> str | None:
        """The text of an expression that is put together from constants only, or None."""
        if depth > 20:
            return None
        text: str | None = None
        match node:
            case ast.Constant(value=value):
                text = value if isinstance(value, str) else None
            case ast.Name(id=name):
                bound = scope.find(name)
                if bound is not None and not bound.opaque and len(bound.sources) == 1:
                    source = bound.sources[0]
                    text = None if isinstance(source, str) else self.constant(*source, depth + 5)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                text = self._concatenated([left, right], scope, depth)
            case ast.JoinedStr(values=parts):
                text = self._concatenated(parts, scope, depth)
            case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
                text = self.constant(inner, scope, depth + 1)
        return text if text is None or len(text) <= MAX_TEXT else None

    def _concatenated(self, nodes: Iterable[ast.expr], scope: _Scope, depth: int) -> str | None:
        parts = [self.constant(node, scope, depth + 1) for node in nodes]
        return None if None in parts else "".join(part for part in parts if part is not None)

    # -- recording -------------------------------------------------------------------------------------------

    def record(self, names: Iterable[str], node: ast.AST) -> None:
        line = getattr(node, "end_lineno", 0)  # of a.b over several lines, the one with b
        for name in names:
            before, namespace, _ = f"{name}.".partition(".__dict__.")
            name = f"{before}.?" if namespace and before else name
            self.uses.setdefault((_cut(self.label), _cut(name)), line)

    def hand_on(self, node: ast.expr | None) -> None:
        """Visit an expression whose value goes where it is not followed: a module there is hidden."""
        if node is None:
            return
        self.visit(node)
        if not self.binding:
            values = self.resolve(node, self.scope)
            self.record([_join(value, "?") for value in values if value.partition(".")[0] != self.stem], node)

    def beneath(self, node: ast.expr) -> None:
        """Visit what lies beneath an expression that has been followed as a whole."""
        match node:
            case ast.Name(id=name):
                self._note_read(name)
            case ast.Attribute(value=value):
                self.beneath(value)
            case ast.Subscript(value=value, slice=key):
                self.beneath(value)
                self.visit(key)
            case ast.Call(func=func):
                values = self.resolve(func, self.scope)
                if self.special(node, values, self.scope) is None:
                    self.visit(node)
                else:
                    self._visit_special(node, values)
            case _:
                self.visit(node)

    def _note_read(self, name: str) -> _Binding | None:
        bound = self.scope.find(name)
        if bound is not None:
            bound.read = True
        return bound

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bind(node.id)
        elif not self.binding:
            bound = self._note_read(node.id)
            if bound is None or not bound.is_self:
                self.record(self._named(node.id, self.scope), node)
            if bound is not None and bound is self.module.names.get(node.id) and not bound.is_plain():
                self.record([f"{self.stem}.{node.id}"], node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self.binding:
            return self.visit(node.value)
        values = self.resolve(node.value, self.scope)
        loads = isinstance(node.ctx, ast.Load)
        found = self._attribute(values, node.attr) if loads else set()
        self.record(found, node)
        if values and (found or not loads):
            self.beneath(node.value)
        else:
            self.record([f".{node.attr}"] if loads else [], node)
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self.binding:
            return self.generic_visit(node)
        found = self.resolve(node, self.scope)
        self.record(found, node)
        if found:
            return self.beneath(node)
        key = self.constant(node.slice, self.scope)
        if key and key.isidentifier() and _is_dictionary(node.value):
            self.record([f".{key}"], node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if self.binding:
            self._bind_by_text(node)
            return self.generic_visit(node)
        values = self.resolve(node.func, self.scope)
        found = self.special(node, values, self.scope)
        if found is not None:
            self.record(found, node)
            return self._visit_special(node, values)
        self.visit(node.func)
        name = node.func.id if isinstance(node.func, ast.Name) else None
        keeps = name in _KEEPS and self.scope.find(name) is None
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if keeps:
                self.visit(argument)
            else:
                self.hand_on(argument)
        if values & {"operator.attrgetter", "operator.methodcaller"}:
            texts = ".".join(self.constant(argument, self.scope) or "" for argument in node.args)
            self.record([f".{part}" for part in texts.split(".") if part.isidentifier()], node)

    def _visit_special(self, node: ast.Call, names: set[str]) -> None:
        self.beneath(node.func)
        self.sees_all |= bool(names & _NAMESPACES)
        if names & _IMPORTERS:
            found = self.special(node, names, self.scope) or set()
            self.modules.update(dict.fromkeys(sorted(name for name in found if "?" not in name)))
        if node.args:
            first, *rest = node.args
            if self.resolve(first, self.scope):
                self.beneath(first)
            else:
                self.visit(first)
                key = self.constant(rest[0], self.scope) if rest and "builtins.getattr" in names else ""
                self.record([f".{key}"] if key and key.isidentifier() else [], node)
            for argument in rest:
                self.hand_on(argument)
        for keyword in node.keywords:
            self.hand_on(keyword.value)

    def _bind_by_text(self, node: ast.Call) -> None:
        """`setattr(x, "name", value)`, `self.register_buffer("name", value)`: attributes all the same."""
        match node:
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), value]):
                self._bound(self.attributes, name, [(value, self.scope)])
            case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Constant(value=str(name)), *_]) if (
                attr in _REGISTERS
            ):
                self._bound(self.attributes, name, [])

    # -- assignments -----------------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        with self.labelled(self._assigned_label(node.targets)):
            followed = all([self.assign(target, node.value) for target in node.targets])
            one_by_one = followed and all(isinstance(target, ast.Tuple | ast.List) for target in node.targets)
            if one_by_one and isinstance(node.value, ast.Tuple | ast.List):
                for element in node.value.elts:
                    self.visit(element)
            elif followed:
                self.visit(node.value)
            else:
                self.hand_on(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.annotation(node.annotation)
        if node.value is None:
            return self.visit(node.target)
        with self.labelled(self._assigned_label([node.target])):
            if self.assign(node.target, node.value):
                self.visit(node.value)
            else:
                self.hand_on(node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        scope = self.scope.function_around()
        self.bind(node.target.id, (node.value, self.scope), scope=scope)
        self.visit(node.value)

    def assign(self, target: ast.expr, value: ast.expr) -> bool:
        """Bind a target to a value; False when what is in the value is not followed from there."""
        match target, value:
            case ast.Name(id=name), _:
                self.bind(name, (value, self.scope))
            case ast.Attribute(attr=attr), _:
                if self.binding:
                    self._bound(self.attributes, attr, [(value, self.scope)])
                self.visit(target)
            case ast.Tuple() | ast.List(), ast.Tuple() | ast.List() if _is_pairwise(target, value):
                return all([self.assign(*pair) for pair in zip(target.elts, value.elts, strict=True)])
            case _:
                self.visit(target)
                return False
        return True

    def _assigned_label(self, targets: list[ast.expr]) -> str:
        match targets[0]:
            case ast.Name(id=name) if self.scope.kind in ("module", "class"):
                return f"{self.label}.{name}" if self.label else name
            case ast.Attribute(value=base, attr=attr) if not self.binding:
                for owner in sorted(self.resolve(base, self.scope) & self.own):
                    if self.scope.kind in ("module", "class"):
                        return f"{owner.removeprefix(self.stem + '.')}.{attr}"
        return self.label

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.hand_on(node.iter)
        for child in [node.target, *node.body, *node.orelse]:
            self.visit(child)

    visit_AsyncFor = visit_For

    def visit_withitem(self, node: ast.withitem) -> None:
        self.hand_on(node.context_expr)
        if node.optional_vars is not None:
            self.visit(node.optional_vars)

    def visit_ExceptHandler(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.bind(node.name)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = visit_ExceptHandler

    def visit_Return(self, node: ast.Return | ast.Yield) -> None:
        self.hand_on(node.value)

    visit_Yield = visit_Return

    def visit_List(self, node: ast.List | ast.Tuple | ast.Set) -> None:
        load = not isinstance(getattr(node, "ctx", None), ast.Store)
        for element in node.elts:
            if load:
                self.hand_on(element)
            else:
                self.visit(element)

    visit_Tuple = visit_Set = visit_List

    def visit_Dict(self, node: ast.Dict) -> None:
        for child in [*node.keys, *node.values]:
            self.hand_on(child)

    # -- imports ---------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            bound = alias.name if alias.asname else alias.name.partition(".")[0]
            self._import(alias.name, alias.asname or bound, bound, alias.name, alias)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            thing = f"{node.module}.{alias.name}" if node.module else alias.name
            if alias.name != "*":
                self._import(node.module or alias.name, alias.asname or alias.name, thing, thing, alias)
            elif node.module:
                self._import(node.module, None, "", thing, alias)
                if self.binding:
                    self.stars.append(node.module)

    def _import(self, module: str, name: str | None, stands_for: str, use: str, node: ast.alias) -> None:
        self.modules[module] = None
        if self.binding:
            if name is not None:
                self.bind(name, _join(stands_for))
        else:
            bound = self.scope.find(name) if name is not None else None
            self.imported.append((_cut(self.label), _join(use), node.lineno, bound))

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.declared.update(dict.fromkeys(node.names, self.module))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            outer = self.scope.parent
            while outer is not None and not (outer.kind == "function" and name in outer.names):
                outer = outer.parent
            if outer is not None:
                self.scope.declared[name] = outer

    # -- scopes ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def labelled(self, label: str) -> Iterator[None]:
        before, self.label = self.label, label
        yield
        self.label = before

    @contextlib.contextmanager
    def inside(self, node: ast.AST, kind: str) -> Iterator[None]:
        before = self.scope
        self.scope = self.scopes.setdefault(node, _Scope(kind, before))
        yield
        self.scope = before

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        around = self.label
        with self.labelled(f"{around}.{node.name}" if around else node.name):
            self._define(node.name)
            for decorator in node.decorator_list:
                self.visit(decorator)
            self.annotation(node.returns)
            static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
            owner = f"{self.stem}.{around}" if self.scope.kind == "class" and not static else None
            self._function(node, node.args, node.body, owner)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, node.args, [node.body], None)

    def _function(self, node: ast.AST, arguments: ast.arguments, body: list[Any], owner: str | None) -> None:
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
        keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        defaults |= {argument: default for argument, default in keywords if default is not None}
        for default in defaults.values():
            self.visit(default)
        rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
        every = [*positional, *arguments.kwonlyargs, *rest]
        for argument in every:
            self.annotation(argument.annotation)
        outer = self.scope
        with self.inside(node, "function"):
            for argument in every:
                sources = [(defaults[argument], outer)] if argument in defaults else []
                bound = self.bind(argument.arg, *sources)
                if bound is not None and owner is not None and argument in positional[:1]:
                    bound.sources.append(owner)
                    bound.is_self = True
            for child in body:
                if isinstance(child, ast.expr) and isinstance(node, ast.Lambda):
                    self.hand_on(child)
                else:
                    self.visit(child)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        with self.labelled(f"{self.label}.{node.name}" if self.label else node.name):
            self.classes.add(self._define(node.name))
            for child in [*node.decorator_list, *node.bases, *node.keywords]:
                self.visit(child)
            with self.inside(node, "class"):
                for statement in node.body:
                    self.visit(statement)

    def _define(self, name: str) -> str:
        dotted = f"{self.stem}.{self.label}"
        self.own.add(dotted)
        self.bind(name, dotted)
        return dotted

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        first = node.generators[0]
        self.hand_on(first.iter)  # read outside, as Python does
        with self.inside(node, "comprehension"):
            for generator in node.generators:
                if generator is not first:
                    self.hand_on(generator.iter)
                for child in [generator.target, *generator.ifs]:
                    self.visit(child)
            for element in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
                self.hand_on(element)

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp

    # -- what is exempt --------------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> None:
        if not self._is_exempt(node.test):
            return self.generic_visit(node)
        for statement in node.body:
            self._note_exempt(statement)
        for statement in node.orelse:
            self.visit(statement)

    def _is_exempt(self, test: ast.expr) -> bool:
        match test:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                names = {side.id for side in (left, right) if isinstance(side, ast.Name)}
                texts = {side.value for side in (left, right) if isinstance(side, ast.Constant)}
                return names == {"__name__"} and texts == {"__main__"} and "__name__" not in self.rebound
            case ast.Name("TYPE_CHECKING") | ast.Attribute(ast.Name("typing"), "TYPE_CHECKING"):
                return not self.rebound & {"TYPE_CHECKING", "typing"}
        return False

    def annotation(self, node: ast.expr | None) -> None:
        """Pass over an annotation, unless it does something or somebody reads annotations."""
        if node is None:
            return
        acts = any(isinstance(part, ast.Call | ast.NamedExpr | ast.Lambda) for part in ast.walk(node))
        if acts or not self.annotations_exempt:
            self.visit(node)
        else:
            self._note_exempt(node)

    def _note_exempt(self, node: ast.AST) -> None:
        for part in ast.walk(node):
            match part:
                case ast.Name(id=name):
                    names = [name]
                case ast.Constant(value=str(text)) if isinstance(node, ast.expr):
                    names = re.findall(r"\w+", text)  # an annotation in quotes
                case _:
                    continue
            for name in names:
                bound = self.scope.find(name)
                if bound is not None:
                    bound.read_exempt = True


def _rebound(tree: ast.Module) -> set[str]:
    """The names that the file gives a meaning of its own, and texts that may name them."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(name, ast.Store()) | ast.Attribute(_, name, ast.Store()) | ast.arg(name):
                names.add(name)
            case ast.FunctionDef(name) | ast.ClassDef(name) | ast.Constant(str(name)):
                names.add(name)
            case ast.Import(names=aliases):
                names.update(alias.asname for alias in aliases if alias.asname)
            case ast.ImportFrom(module=module, names=aliases):
                fine = {("typing", "TYPE_CHECKING", None), ("typing_extensions", "TYPE_CHECKING", None)}
                names.update(a.asname or a.name for a in aliases if (module, a.name, a.asname) not in fine)
    return names


def _module(call: ast.Call, function: str, name: str | None) -> str:
    """The module that `import_module` or `__import__` returns."""
    if name is None or not _is_dotted(name):
        return f"{function}.?"
    top_only = function.endswith("__import__") and len(call.args) < 4 and not call.keywords
    return name.partition(".")[0] if top_only else name


def _is_dictionary(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="__dict__") | ast.Call(func=ast.Name(id="vars")):
            return True
    return False


def _is_pairwise(target: ast.Tuple | ast.List, value: ast.Tuple | ast.List) -> bool:
    starred = any(isinstance(part, ast.Starred) for part in [*target.elts, *value.elts])
    return not starred and len(target.elts) == len(value.elts)


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _join(value: str, attr: str | None = None) -> str:
    """`value.attr`; something of something is something, and torch has names for itself in many places."""
    if attr is not None and not value.endswith(".?"):
        value = f"{value}.{attr}"
    if value.startswith("torch.") and ".torch." in f"{value}.":
        value = f"torch.{f'{value}.'.rpartition('.torch.')[2]}".removesuffix(".")
    return _cut(value)


def _cut(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[:MAX_NAME].rpartition(".")[0] or name[:MAX_NAME]
