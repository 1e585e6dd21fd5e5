"""Facts of a syntax tree: names are followed as Python binds them, and no file breaks the reader."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from autograder import facts
from autograder.facts import facts_of


def uses(source: str, filename: str = "relu.py") -> dict[str, set[str]]:
    """The names used, by scope."""
    found = facts_of(textwrap.dedent(source).encode(), filename)
    assert found["error"] is None and found["complete"]
    by_scope: dict[str, set[str]] = {}
    for scope, name, _ in found["uses"]:
        by_scope.setdefault(scope, set()).add(name)
    return by_scope


def names(source: str, filename: str = "relu.py") -> set[str]:
    """The names used, wherever."""
    return set().union(*uses(source, filename).values())


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.nn.functional.relu(x)",
        "import torch as t\nt.nn.functional.relu(x)",
        "import torch.nn as nn\nnn.functional.relu(x)",
        "import torch.nn.functional\ntorch.nn.functional.relu(x)",
        "import torch.nn.functional as F\nF.relu(x)",
        "from torch import nn\nnn.functional.relu(x)",
        "from torch import nn as n\nn.functional.relu(x)",
        "from torch.nn import functional as F\nF.relu(x)",
        "from torch.nn.functional import relu\nrelu(x)",
        "from torch.nn.functional import relu as r\nr(x)",
        "from torch.nn.functional import *\nrelu(x)",
        "import torch\nF = torch.nn.functional\nF.relu(x)",
        "import torch\nF = torch.nn.functional\nr = F.relu\nr(x)",
        "import torch\na, b = torch.nn, 1\na.functional.relu(x)",
        "import torch\n(F := torch.nn.functional).relu(x)",
        "import torch\nif (F := torch.nn.functional):\n    F.relu(x)",
        "import torch\ngetattr(torch.nn.functional, 'relu')(x)",
        "import torch\ngetattr(torch.nn.functional, 're' + 'lu')(x)",
        "import torch\np = 're'\ngetattr(torch.nn.functional, f'{p}lu')(x)",
        "import torch\nname = 'relu'\ngetattr(getattr(torch.nn, 'functional'), name)(x)",
        "import torch, builtins\nbuiltins.getattr(torch.nn.functional, 'relu')(x)",
        "import torch\ntorch.nn.functional.__getattribute__('relu')(x)",
        "import torch\nvars(torch.nn.functional)['relu'](x)",
        "import torch\ntorch.nn.functional.__dict__['relu'](x)",
        "import torch\nd = vars(torch.nn.functional)\nd.get('relu')(x)",
        "__import__('torch').nn.functional.relu(x)",
        "import importlib\nimportlib.import_module('torch.nn.functional').relu(x)",
        "from importlib import import_module as load\nF = load('torch.nn.functional')\nF.relu(x)",
        "import sys\nsys.modules['torch'].nn.functional.relu(x)",
        "import sys\nsys.modules.get('torch.nn.functional').relu(x)",
        "import torch.nn.functional as F\nglobals()['F'].relu(x)",
        "import torch\ndef f(x, r=torch.nn.functional.relu):\n    return r(x)",
        "import torch\nf = lambda x, *, F=torch.nn.functional: F.relu(x)",
        "import torch\nclass A:\n    F = torch.nn.functional\n    def f(self, x): return self.F.relu(x)",
        "import torch\nclass A:\n    def g(self):\n        self.F = torch.nn.functional\n"
        "    def f(self, x):\n        return self.F.relu(x)",
        "import torch\nsetattr(obj, 'F', torch.nn.functional)\nobj.F.relu(x)",
        "import torch\n(torch.nn.functional if x else None).relu(x)",
        "import torch\n(None or torch.nn.functional).relu(x)",
        "def f(x):\n    import torch.nn.functional as F\n    return F.relu(x)",
        "try:\n    import torch.nn.functional as F\nexcept ImportError:\n    F = None\nF.relu(x)",
        "import torch\nfrom functools import partial\nr = partial(torch.nn.functional.relu, a=1)\nr(x)",
        "import torch\ntorch.autograd.torch.nn.functional.relu(x)",
        "import torch\nfrom torch import torch as again\nagain.nn.functional.relu(x)",
        "import torch\ntorch.nn.functional.\uff52elu(x)",  # a letter that Python reads as r
        "def f():\n    return F.relu(x)\nimport torch\nF = torch.nn.functional",
        "import torch\ndef f():\n    global F\n    F = torch.nn.functional\ndef g(x):\n    F.relu(x)",
        "import torch\n[F.relu(x) for F in [1]]\nF = torch.nn.functional\n[F.relu(y) for y in x]",
    ],
)
def test_banned_function_is_found_however_it_is_spelled(source):
    """Every spelling gives the same canonical name."""
    assert "torch.nn.functional.relu" in names(source)


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ndef relu(x):\n    return torch.clamp(x, min=0)\nrelu(x)",
        "from torch.nn import functional as F\ndef f(F):\n    return F.relu",
        "import torch.nn as nn\ndef f(x):\n    nn = x\n    return nn.functional.relu",
        "import torch\nf = lambda torch: torch.nn.functional.relu",
        "import torch\n[torch.nn.functional.relu for torch in x]",
        "import torch\nfor torch in x:\n    pass\ndef f(torch):\n    return torch.nn.functional.relu",
        "class A:\n    from torch.nn import functional as F\n    def f(self):\n        return F.relu",
        "def f():\n    import torch.nn.functional as F\ndef g(x):\n    return F.relu(x)",
        'def f():\n    """Like torch.nn.functional.relu."""',
        "# torch.nn.functional.relu\nx = 'torch.nn.functional.relu'",
        "import torch\ndef f(x: torch.nn.functional.relu):\n    y: torch.nn.functional.relu",
        "import torch\ndef f(x) -> torch.nn.functional.relu: pass",
        "import torch.nn.functional as F\nif __name__ == '__main__':\n    F.relu(x)",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from torch.nn.functional import relu",
        "import typing\nif typing.TYPE_CHECKING:\n    from torch.nn.functional import relu",
    ],
)
def test_what_only_looks_like_it_is_not_a_use(source):
    """Names that mean something else, and what is exempt."""
    assert "torch.nn.functional.relu" not in names(source)


class TestAttributes:
    """Attributes of things that cannot be followed keep their name."""

    def test_method_of_a_tensor(self):
        """Method of a tensor."""
        assert {".relu", ".sum", "torch.tensor"} <= names("import torch\ntorch.tensor(1).relu().sum()")

    def test_method_by_text(self):
        """Method by text."""
        source = "import operator\ngetattr(x, 'relu')\noperator.methodcaller('relu_')(x)\nvars(x)['threshold']"
        assert {".relu", ".relu_", ".threshold"} <= names(source)

    def test_method_of_the_class_itself(self):
        """Method of the class itself."""
        assert "torch.Tensor.relu" in names("from torch import Tensor as T\nT.relu(x)")

    @pytest.mark.parametrize("access", ["self.relu(x)", "ReLU.relu(x)", "ReLU().relu(x)", "self.g().relu(x)"])
    def test_own_method_of_that_name(self, access):
        """Own method of that name."""
        source = f"class ReLU:\n    def relu(self, x): pass\n    def g(self): pass\n    def f(self, x): {access}"
        assert (".relu" in names(source)) == (access == "self.g().relu(x)")

    @pytest.mark.parametrize(
        "line", ["self.relu = Other()", "self.register_buffer('relu', x)", "setattr(self, 'relu', x)"]
    )
    def test_own_attribute_of_that_name(self, line):
        """Own attribute of that name."""
        source = f"class A:\n    def __init__(self): {line}\n    def f(self, x): self.relu(x)"
        assert ".relu" not in names(source)

    def test_inherited_attribute_is_not_own(self):
        """Inherited attribute is not own."""
        assert ".relu" in names("import torch\nclass A(torch.Tensor):\n    def f(self):\n        return self.relu()")

    def test_assigning_is_not_using(self):
        """Assigning is not using."""
        assert names("x.requires_grad = True\ndel x.y") == set()


class TestHiding:
    """Where a module goes out of sight, that is said."""

    @pytest.mark.parametrize(
        "source",
        [
            "f(nn)",
            "f(module=nn)",
            "f(*[nn])",
            "def f(): return nn",
            "def f(): yield nn",
            "f = lambda: nn",
            "d = {'a': nn}",
            "x = [nn]",
            "for m in (nn, 1): pass",
            "d['x'] = nn",
            "a, *b = nn, 1",
            "with c(nn) as m: pass",
            "[nn for i in x]",
            "getattr(nn, name)",
            "getattr(nn, 'x'[::-1])",
            "vars(nn)[name]",
            "for m in vars(nn).values(): pass",
            "nn.__dict__",
        ],
    )
    def test_module_handed_on(self, source):
        """Module handed on."""
        assert "torch.nn.?" in names(f"import torch.nn as nn\n{source}")

    @pytest.mark.parametrize("source", ["m = nn", "isinstance(x, nn.Module)", "hasattr(nn, 'x')", "nn.Module"])
    def test_module_in_sight(self, source):
        """Module in sight."""
        assert not {name for name in names(f"import torch.nn as nn\n{source}") if name.endswith("?")}

    def test_something_of_something_is_something(self):
        """Something of something is something."""
        assert "torch.?" in names("import torch\nm = torch\nfor part in parts:\n    m = getattr(m, part)\nm.x.y()")

    def test_imports_by_unknown_text(self):
        """Imports by unknown text."""
        found = names("import importlib, sys\nimportlib.import_module(x)\n__import__(x)\nsys.modules[x]")
        assert {"importlib.import_module.?", "builtins.__import__.?", "sys.modules.?"} <= found

    @pytest.mark.parametrize("name", ["exec", "eval", "compile"])
    def test_running_text(self, name):
        """Running text."""
        assert f"builtins.{name}" in names(f"{name}('1')")
        assert f"builtins.{name}" in names(f"__builtins__.{name}('1')")
        assert f"builtins.{name}" in names(f"__builtins__['{name}']('1')")
        assert f"builtins.{name}" not in names(f"def {name}(x): pass\n{name}(1)\nmodel.{name}()")


class TestScopes:
    """Each use has the function or class around it."""

    def test_scopes_are_qualified_names(self):
        """Scopes are qualified names."""
        found = uses(
            """
            import torch
            from torch.autograd import Function
            class MatMul(Function):
                @staticmethod
                def backward(ctx, grad):
                    def inner(x):
                        return torch.autograd.grad(x)
                    return inner(torch.a)
            torch.b
            """,
            "matmul.py",
        )
        assert "torch.autograd.Function" in found[""] and "torch.autograd.Function" in found["MatMul"]
        assert {"torch.a", "matmul.MatMul.backward.inner"} <= found["MatMul.backward"]
        assert "torch.autograd.grad" in found["MatMul.backward.inner"]
        assert "torch.b" in found[""]

    def test_decorators_and_defaults_belong_to_the_function(self):
        """Decorators and defaults belong to the function."""
        found = uses("import torch\n@torch.no_grad()\ndef f(x, y=torch.pi): pass")
        assert {"torch.no_grad", "torch.pi"} <= found["f"]

    def test_assigned_name_is_a_scope(self):
        """Assigned name is a scope."""
        source = "import torch\nf = lambda x: torch.a(x)\nclass A:\n    g = staticmethod(torch.b)\nA.h = torch.c"
        found = uses(source)
        assert "torch.a" in found["f"] and "torch.b" in found["A.g"] and "torch.c" in found["A.h"]

    def test_line_is_where_the_name_is(self):
        """Line is where the name is."""
        found = facts_of(b"import torch\ny = (\n    torch\n    .relu(x)\n)", "relu.py")
        assert ["y", "torch.relu", 4] in found["uses"]


class TestExemptions:
    """What is exempt, and what makes it count after all."""

    def test_unused_import_counts(self):
        """Unused import counts."""
        assert "torch.optim" in names("from torch import optim")

    @pytest.mark.parametrize(
        "rest", ["def f(x: optim.SGD): pass", "def f(optim: 'optim.SGD'): pass", "x: optim.SGD | None = None"]
    )
    def test_import_that_serves_annotations_only(self, rest):
        """Import that serves annotations only."""
        assert names(f"from torch import optim\n{rest}") == set()

    @pytest.mark.parametrize("rest", ["optim.SGD", "f = optim.SGD", "globals()['optim']", "def f(): optim"])
    def test_import_that_serves_code_as_well(self, rest):
        """Import that serves code as well."""
        assert "torch.optim" in names(f"from torch import optim\ndef f(x: optim.SGD): pass\n{rest}")

    @pytest.mark.parametrize(
        "source",
        [
            "__name__ = '__main__'\nif __name__ == '__main__':\n    torch.relu",
            "globals()['__name__'] = '__main__'\nif __name__ == '__main__':\n    torch.relu",
            "if __name__ == '__main__':\n    pass\nelse:\n    torch.relu",
            "if __name__ != '__main__':\n    torch.relu",
            "if __name__ == 'relu':\n    torch.relu",
            "TYPE_CHECKING = True\nif TYPE_CHECKING:\n    torch.relu",
            "from other import TYPE_CHECKING\nif TYPE_CHECKING:\n    torch.relu",
            "import other as typing\nif typing.TYPE_CHECKING:\n    torch.relu",
            "def f(x: (r := torch.relu)): pass",
            "def f(x: torch.relu): pass\nf.__annotations__['x'](y)",
        ],
    )
    def test_exemption_is_no_way_round(self, source):
        """Exemption is no way round."""
        assert "torch.relu" in names(f"import torch\n{source}")


class TestBounds:
    """A file is hostile: the facts are bounded, and nothing but facts comes out."""

    @pytest.mark.parametrize(
        "source",
        [b"def f(:", b"\xff\xfe", b"x = '\0'", b"x = " + b"9" * 10_000, b"if True:\nx", b"return = 1"],
    )
    def test_file_that_is_not_python(self, source):
        """File that is not python."""
        found = facts_of(source, "x.py")
        line, message = found["error"]
        assert isinstance(line, int) and message and found["complete"]

    def test_coding_line_means_nothing(self):
        """Coding line means nothing."""
        source = "# -*- coding: latin-1 -*-\nimport torch\ntorch.relu('\u00e9')".encode()
        assert ["", "torch.relu", 3] in facts_of(source, "x.py")["uses"]

    def test_byte_order_mark(self):
        """Byte order mark."""
        assert facts_of(b"\xef\xbb\xbfimport torch", "x.py")["imports"] == ["torch"]

    @pytest.mark.parametrize("source", ["(" * 500, "-" * 5000 + "1", "f(" * 90 + ")" * 90, "a" + ".b" * 5000])
    def test_deep_nesting_is_said(self, source):
        """Deep nesting is said."""
        found = facts_of(source.encode(), "x.py")
        assert found["error"] or found["complete"]
        json.dumps(found)

    def test_too_many_uses_are_said(self):
        """Too many uses are said."""
        source = "import torch\n" + "\n".join(f"torch.x{number}" for number in range(facts.MAX_USES + 1))
        found = facts_of(source.encode(), "x.py")
        assert len(found["uses"]) == facts.MAX_USES and not found["complete"]

    def test_too_many_meanings_are_said(self):
        """Too many meanings are said."""
        source = "".join(f"import m{number} as m\n" for number in range(facts.MAX_VALUES + 1)) + "m.x"
        assert not facts_of(source.encode(), "x.py")["complete"]

    def test_meanings_that_multiply_are_said(self):
        """Each call could mean three things of each thing that its argument could mean."""
        calls = f"{'g(' * 80}torch{', name)' * 80}"
        source = f"import torch\nname = 'a'\ng = getattr\ng = vars\ng = staticmethod\n{calls}"
        assert not facts_of(source.encode(), "x.py")["complete"]

    def test_names_are_cut(self):
        """Names are cut."""
        lines = ["import torch", f"torch{'.abc' * 100}", f"torch.{'x' * 1000}", f"class {'C' * 500}: torch.a"]
        found = facts_of("\n".join(lines).encode(), "x.py")
        assert all(len(text) <= facts.MAX_NAME for scope, name, _ in found["uses"] for text in (scope, name))

    def test_alias_of_itself_ends(self):
        """Alias of itself ends."""
        assert names("x = x.y\na = b\nb = a\nimport torch\nm = torch\nm = m.nn") >= {"torch", "torch.nn"}

    def test_warnings_of_the_parser_are_silent(self):
        """Warnings of the parser are silent."""
        assert facts_of(b"x = '\\d'\n1 is 1", "x.py")["error"] is None

    def test_facts_are_the_same_in_every_process(self):
        """Hash seeds differ; the facts may not."""
        source = "import torch, sys\nx = torch.a if sys.b else torch.c\nx.d\nd = {'k': x}"
        code = f"from autograder.facts import facts_of; print(facts_of({source.encode()!r}, 'x.py'))"
        root = Path(__file__).parents[1]
        outputs = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={"PYTHONHASHSEED": seed},
                cwd=root,
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert len(outputs) == 1


def test_imports_and_exports():
    """What a file imports, and what its names stand for elsewhere."""
    lines = [
        "import torch.nn as nn",
        "from helper import x as y",
        "from . import mine",
        "from other import *",
    ]
    found = facts_of("\n".join([*lines, "F = nn.functional", "def f(): pass"]).encode(), "linear.py")
    assert found["imports"] == ["torch.nn", "helper", "mine", "other"]
    exports = [
        ["*", "other"],
        ["F", "torch.nn.functional"],
        ["mine", "mine"],
        ["nn", "torch.nn"],
        ["y", "helper.x"],
    ]
    assert found["exports"] == exports


def test_imports_nothing_of_ours():
    """It runs beside the wire in a worker, and must need nothing."""
    source = Path(facts.__file__).read_bytes()
    modules = {name.partition(".")[0] for name in facts_of(source, "facts.py")["imports"]}
    assert modules <= set(sys.stdlib_module_names)
