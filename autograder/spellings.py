"""The usual ways to write a banned name in Python, and the places where it is exempt: what bans are validated with."""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .config import Ban

SAMPLES = 3  # names tried for a pattern that stands for many


def banned_names(ban: Ban) -> list[str]:
    """Names that a ban covers; some of those that exist where it covers all of a module."""
    names = [pattern for pattern in ban.names if not pattern.endswith("*")]
    for pattern in ban.names:
        if pattern.endswith(".*"):
            names += _below(pattern[:-2], ban)
    return list(dict.fromkeys(names))


def _below(owner: str, ban: Ban) -> list[str]:
    found = []
    thing = _resolve(owner)
    for name in sorted(vars(thing), key=str.lower) if isinstance(thing, ModuleType) else ():
        whole = f"{owner}.{name}"
        public = not name.startswith("_") and not isinstance(getattr(thing, name), ModuleType)
        if public and not any(whole.startswith(allowed.removesuffix("*")) for allowed in ban.allow):
            found.append(whole)
    step = max(1, len(found) // SAMPLES)
    return found[::step][:SAMPLES]


def _resolve(name: str) -> Any:
    """The thing that a dotted name means; None if it means none."""
    module, _, rest = name, "", ""
    while module:
        try:
            thing: Any = importlib.import_module(module)
        except Exception:  # whatever a package raises that is not whole here: its names are tried as text
            module, _, last = module.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
            continue
        for part in rest.split(".") if rest else ():
            thing = getattr(thing, part, None)
        return thing
    return None


def spellings(name: str, scope: str = "") -> Iterator[tuple[str, bool]]:
    """Texts of a student's file that use a name in a usual way, each with whether it is forbidden.

    Args:
        name: a dotted name, or `.name` for an attribute of anything.
        scope: a function such as `MatMul.backward` that the use has to be in; anywhere if empty.
    """
    ways = _of_an_attribute(name[1:]) if name.startswith(".") else _of_a_path(name)
    for imports, use in ways:
        yield _placed(imports, use, scope), True
        if not scope:
            for place in PLACES:
                yield f"{imports}\n{textwrap.dedent(place).replace('USE', use)}", True
        for place in EXEMPT:
            yield f"{imports if 'MAIN' not in place else ''}\n{_exempt(place, imports, use)}", False


PLACES = (
    """
    class Answer:
        thing = USE
    """,
    """
    def answer(thing=USE):
        return thing
    """,
    """
    answer = lambda x: [USE for _ in x]
    """,
    """
    class Answer:
        def forward(self, x):
            def inner():
                return USE
            return inner()
    """,
)
EXEMPT = ('"""MAIN: USE."""\n', "if __name__ == '__main__':  # MAIN\n    IMPORTS\n    print(USE)\n")


def _exempt(place: str, imports: str, use: str) -> str:
    lines = [line.replace("IMPORTS", "; ".join(imports.splitlines()) or "pass") for line in place.splitlines()]
    return "\n".join(lines).replace("USE", use) + "\n"


def _placed(imports: str, use: str, scope: str) -> str:
    owner, _, function = scope.rpartition(".")
    if not function:
        return f"{imports}\nanswer = {use}\n"
    body = f"def {function}(x):\n    return {use}\n"
    return f"{imports}\n{body if not owner else f'class {owner}:' + chr(10) + textwrap.indent(body, '    ')}"


def _of_an_attribute(name: str) -> Iterator[tuple[str, str]]:
    yield "", f"abs(1).{name}"
    yield "", f"abs(1).{name}()"
    yield "", f"getattr(abs(1), {name!r})"
    yield "from operator import methodcaller", f"methodcaller({name!r})(abs(1))"
    yield "from operator import attrgetter", f"attrgetter({name!r})(abs(1))"


def _of_a_path(name: str) -> Iterator[tuple[str, str]]:
    owner, _, last = name.rpartition(".")
    if not owner:
        return
    module, inner = owner, ""
    while module and not isinstance(_resolve(module), ModuleType):
        module, _, part = module.rpartition(".")
        inner = f"{part}.{inner}"
    root = module.partition(".")[0]
    if root == "builtins":
        yield "", f"{inner}{last}"
    yield f"import {module}", f"{owner}.{last}"
    yield f"import {root}", f"{owner}.{last}"
    yield f"import {module} as other", f"other.{inner}{last}"
    yield f"from {module} import {(inner + last).partition('.')[0]}", f"{inner}{last}"
    yield (
        f"from {module} import {(inner + last).partition('.')[0]} as other",
        f"other{'.' + (inner + last).partition('.')[2] if '.' in inner + last else ''}",
    )
    yield f"import {module}", f"getattr({owner}, {last!r})"
    yield f"import {root}\nsame = {owner}", f"same.{last}"
    if module != root:
        above, _, below = module.rpartition(".")
        yield f"from {above} import {below}", f"{below}.{inner}{last}"
        yield f"from {above} import {below} as other", f"other.{inner}{last}"
