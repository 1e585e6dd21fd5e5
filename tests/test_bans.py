"""Bans: ready-made answers are found in every spelling, and right answers are left alone."""

import importlib
import json
import textwrap
from pathlib import Path

import pytest

from autograder import bans, facts
from autograder.bans import Facts, parse_facts, violations
from autograder.config import Ban, Homework, Question, load_homework

ROOT = Path(__file__).parents[1]
GENERAL = Ban(
    names=("torch.nn.*", "torch.optim", "torch.optim.*", "torch._*", "builtins.eval", ".__globals__"),
    allow=("torch.nn.Module", "torch.nn.Module.*", "torch.nn.Parameter", "torch.nn.Parameter.*"),
)
RELU = Ban(names=(".relu", ".relu_", "torch.relu", "torch.relu_", "torch.threshold"))
BACKWARD = Ban(
    names=("torch.autograd", "torch.autograd.*", ".backward"),
    allow=("torch.autograd.function.once_differentiable",),
    scope="MatMul.backward",
)
HOMEWORK = Homework(
    root=ROOT,
    title="test",
    bans=GENERAL,
    questions=(
        Question(name="linear", points=1, file="linear.py", provides=("Linear",)),
        Question(name="relu", points=1, file="relu.py", provides=("ReLU",), bans=(RELU,)),
        Question(name="matmul", points=1, file="matmul.py", provides=("MatMul",), bans=(BACKWARD,)),
        Question(name="mnist", points=1, needs=("linear",)),
    ),
)


def found(question: str, homework: Homework = HOMEWORK, **files: str) -> tuple[str, ...]:
    """The violations of a question in these files."""
    known = {}
    for stem, source in files.items():
        reply = facts.facts_of(textwrap.dedent(source).encode(), f"{stem}.py")
        known[f"{stem}.py"] = parse_facts(json.loads(json.dumps(reply)))
    return violations(homework, homework.question(question), known)


class TestGeneral:
    """What the homework bans everywhere."""

    def test_says_file_line_and_name(self):
        """Says file line and name."""
        assert found("linear", linear="import torch\n\nx = torch.nn.Linear(1, 2)\n") == (
            "linear.py:3 uses torch.nn.Linear, which this homework bans",
        )

    @pytest.mark.parametrize(
        "source",
        [
            "import torch.nn as nn\nclass Linear(nn.Module):\n    def __init__(self):\n"
            "        super().__init__()\n        nn.Module.__init__(self)\n        self.w = nn.Parameter(x)",
            "from torch import nn\nisinstance(x, (nn.Module, nn.Parameter))\nf(nn.Module)",
            "import torch\ntorch.log_softmax(x, 1)\ntorch.softmax(x, 1)\nx.backward()",
            "import torch\ntorch.autograd.grad(x, y)",
            "import torch\ndef f(opt: torch.optim.Optimizer): pass",
            "from torch.optim import Optimizer\ndef f(opt: Optimizer | None = None): pass",
            "import torch.nn.functional as F\nif __name__ == '__main__':\n    F.linear(x)",
            "import torch\ntorch.float32\nprint(torch)\nx.to(torch.float64)\ngetattr(x, name)",
        ],
    )
    def test_right_answers_are_left_alone(self, source):
        """Right answers are left alone."""
        assert found("linear", linear=source) == ()

    @pytest.mark.parametrize(
        ("source", "name"),
        [
            ("from torch import optim", "torch.optim"),
            ("import torch.nn.functional as F", "torch.nn.functional"),
            ("from torch.nn import *", "torch.nn.*"),
            ("import torch\ntorch.nn.init.normal_(x)", "torch.nn.init.normal_"),
            ("import torch\ntorch._C._nn.linear(x)", "torch._C._nn.linear"),
            ("eval('1')", "builtins.eval"),
            ("import torch\ntorch.nn.Module.forward.__globals__", "torch.nn.Module.forward.__globals__"),
        ],
    )
    def test_ready_made_answers_are_found(self, source, name):
        """Ready made answers are found."""
        assert f"uses {name}, which" in found("linear", linear=source)[0]

    @pytest.mark.parametrize(
        "source",
        ["getattr(torch, name)", "f(torch)", "f(torch.nn)", "getattr(torch.nn, name)", "x = [torch]"],
    )
    def test_hiding_is_a_violation(self, source):
        """Hiding is a violation."""
        assert "hides what it takes of torch" in found("linear", linear=f"import torch\n{source}")[0]

    def test_question_without_a_file_has_nothing_to_judge(self):
        """Question without a file has nothing to judge."""
        assert found("mnist", linear="import torch.optim") == ()
        assert found("linear", relu="import torch.optim") == ()

    def test_file_that_is_not_python_is_not_gated(self):
        """Its checks fail by themselves."""
        assert found("linear", linear="def f(:") == ()

    def test_file_that_cannot_be_looked_through_is_gated(self):
        """File that cannot be looked through is gated."""
        known = {"linear.py": Facts(complete=False)}
        assert "cannot be looked through" in violations(HOMEWORK, HOMEWORK.question("linear"), known)[0]

    def test_many_violations_are_cut(self):
        """Many violations are cut."""
        lines = [f"torch.nn.X{number}" for number in range(100)]
        said = found("linear", linear="\n".join(["import torch", *lines]))
        assert len(said) == bans.MAX_LINES + 1 and said[-1] == "and 80 more"


class TestQuestion:
    """What one question bans in its own file."""

    @pytest.mark.parametrize("expression", ["torch.relu(X)", "X.relu()", "X.relu_()", "torch.Tensor.relu(X)"])
    def test_own_bans(self, expression):
        """Own bans."""
        source = f"import torch\ndef forward(X):\n    return {expression}"
        assert "relu.py:3" in found("relu", relu=source)[0]
        assert found("linear", linear=source) == ()

    @pytest.mark.parametrize(
        "source",
        [
            "import torch\nx.clamp(min=0)\ntorch.where(x > 0, x, 0)\ntorch.maximum(x, y)",
            "def relu(x): return x * (x > 0)\nrelu(x)",
            "class ReLU:\n    def relu(self, x): return x\n    def forward(self, x): return self.relu(x)",
            "import helper\nhelper.relu(x)",
            "from helper import relu\nrelu(x)",
        ],
    )
    def test_own_things_of_a_banned_name(self, source):
        """Own things of a banned name."""
        assert found("relu", relu=source, helper="def relu(x): return x") == ()


class TestOtherFiles:
    """A ban follows what the question's file takes from the student's other files."""

    def test_helper_modules_transitively(self):
        """Helper modules transitively."""
        said = found("relu", relu="import one", one="def f():\n    import two", two="import torch\ntorch.relu(x)")
        assert said == ("two.py:2 uses torch.relu, which this question bans",)

    def test_helper_that_is_not_imported(self):
        """Helper that is not imported."""
        assert found("relu", relu="", helper="import torch.optim") == ()

    def test_other_question_is_not_looked_at(self):
        """Other question is not looked at."""
        source = "import torch\nclass Linear: pass\ntorch.nn.Linear"
        for line in (
            "from linear import Linear",
            "from linear import *\nLinear",
            "import linear\nlinear.Linear",
        ):
            assert found("relu", relu=line, linear=source) == ()

    @pytest.mark.parametrize(
        "source",
        [
            "from torch import relu as mine",
            "import torch\nmine = torch.relu",
            "import torch\ndef mine(x): return torch.relu(x)",
            "import torch\nmine = lambda x: torch.relu(x)",
            "from deeper import mine",
            "from deeper import *",
            "import deeper\ndef mine(x): return deeper.mine(x)",
        ],
    )
    @pytest.mark.parametrize(
        "use",
        [
            "from linear import mine\nmine(x)",
            "from linear import *\nmine(x)",
            "import linear\nlinear.mine(x)",
        ],
    )
    def test_what_goes_through_another_question(self, source, use):
        """What goes through another question."""
        deeper = "import torch\ndef mine(x):\n    return torch.relu(x)"
        assert found("relu", relu=use, linear=source, deeper=deeper)

    def test_module_taken_from_another_file(self):
        """Module taken from another file."""
        said = found("relu", relu="from linear import *\ntorch.relu(x)", linear="import torch")
        assert said == ("relu.py:2 uses torch.relu, which this question bans",)


class TestScope:
    """A ban in one function covers what that function can reach."""

    TEMPLATE = """
        import torch
        from torch.autograd import Function
        {before}
        class MatMul(Function):
            @staticmethod
            def forward(ctx, X, Y): return torch.autograd.graph.save(X)
            @staticmethod
            def backward(ctx, grad): {body}
            {after}
        """

    def found(self, body, before="", after="", **files):
        """The violations of a matmul.py with this backward."""
        return found("matmul", matmul=self.TEMPLATE.format(body=body, before=before, after=after), **files)

    def test_autograd_elsewhere_is_fine(self):
        """Autograd elsewhere is fine."""
        assert self.found("return grad @ Y.T, X.T @ grad", before="torch.autograd.grad(x, y)") == ()

    def test_parameter_called_like_a_banned_thing(self):
        """Parameter called like a banned thing."""
        assert self.found("return grad(1)", before="from torch.autograd import grad") == ()

    def test_the_usual_decorator_is_fine(self):
        """The usual decorator is fine."""
        source = self.TEMPLATE.replace("@staticmethod\n            def backward", "{d}\n            def backward")
        source = source.format(body="pass", before="", after="", d="@torch.autograd.function.once_differentiable")
        assert found("matmul", matmul=source) == ()

    @pytest.mark.parametrize(
        ("body", "before", "after"),
        [
            ("return torch.autograd.grad(x, y)", "", ""),
            ("Z.backward()", "", ""),
            ("return g(x)", "g = torch.autograd.grad", ""),
            ("return helper(x)", "def helper(x): return torch.autograd.grad(x)", ""),
            ("return one(x)", "def one(x): return two(x)\ndef two(x): return torch.autograd.grad(x)", ""),
            ("return f(x)", "f = lambda x: torch.autograd.grad(x)", ""),
            ("return MatMul.helper(x)", "", "def helper(x): return torch.autograd.grad(x)"),
            ("return Helper().go(x)", "class Helper:\n    def go(self, x): x.backward()", ""),
            ("return list(map(helper, x))", "def helper(x): return torch.autograd.grad(x)", ""),
            ("pass", "def other(ctx, g): return torch.autograd.grad(g)", "backward = staticmethod(other)"),
            ("return apart.helper(x)", "import apart", ""),
            ("return helper(x)", "from apart import helper", ""),
        ],
    )
    def test_autograd_within_reach_is_found(self, body, before, after):
        """Autograd within reach is found."""
        before = before.replace("\n", "\n        ")
        apart = "import torch\ndef helper(x): return torch.autograd.grad(x)"
        said = self.found(body, before, after, apart=apart)
        assert said and all("which this question bans in MatMul.backward" in line for line in said)

    def test_inherited_backward_is_found(self):
        """Inherited backward is found."""
        source = """
            import torch
            class Base(torch.autograd.Function):
                @staticmethod
                def backward(ctx, grad): return torch.autograd.grad(grad)
            class MatMul(Base): pass
            """
        assert "matmul.py:5" in found("matmul", matmul=source)[0]


class TestReply:
    """A worker's reply is checked before it is used."""

    GOOD = facts.facts_of(b"import torch as t\ndef f():\n    t.relu(x)", "x.py")

    def test_good_reply(self):
        """Good reply."""
        known = parse_facts(self.GOOD)
        assert known.uses == (bans.Use("", "torch", 1), bans.Use("f", "torch.relu", 3))
        assert (known.error, known.complete, known.imports) == (None, True, ("torch",))
        assert known.exports == {"t": ("torch",)}

    @pytest.mark.parametrize("module", ["argparse", "ast", "enum", "inspect", "random", "string", "typing"])
    def test_real_files_give_good_replies(self, module):
        """Facts of code of every style pass the check."""
        source = Path(importlib.import_module(module).__file__).read_bytes()
        assert parse_facts(json.loads(json.dumps(facts.facts_of(source, f"{module}.py")))).complete

    def test_message_of_an_error_is_made_safe(self):
        """Message of an error is made safe."""
        known = parse_facts({**self.GOOD, "error": [3, "bad\n\x1b[31m" + "x" * 1000]})
        assert known.error is not None and known.error[0] == 3
        assert known.error[1].isprintable() and len(known.error[1]) <= facts.MAX_NAME

    @pytest.mark.parametrize(
        "reply",
        [
            None,
            [],
            {},
            {**GOOD, "more": 1},
            {**GOOD, "complete": 1},
            {**GOOD, "error": "bad"},
            {**GOOD, "error": [1]},
            {**GOOD, "error": [True, "bad"]},
            {**GOOD, "error": [-1, "bad"]},
            {**GOOD, "error": [1, 2]},
            {**GOOD, "uses": {}},
            {**GOOD, "uses": "abc"},
            {**GOOD, "uses": [["", "torch"]]},
            {**GOOD, "uses": [["", "torch", "1"]]},
            {**GOOD, "uses": [["", "torch", 1.0]]},
            {**GOOD, "uses": [["", "torch", True]]},
            {**GOOD, "uses": [["", "torch", 10**30]]},
            {**GOOD, "uses": [["", "", 1]]},
            {**GOOD, "uses": [["", "..torch", 1]]},
            {**GOOD, "uses": [["", "torch nn", 1]]},
            {**GOOD, "uses": [["", "torch\n", 1]]},
            {**GOOD, "uses": [["", "*", 1]]},
            {**GOOD, "uses": [["", "x" * 201, 1]]},
            {**GOOD, "uses": [["<lambda>", "torch", 1]]},
            {**GOOD, "uses": [["", "torch", 1]] * (facts.MAX_USES + 1)},
            {**GOOD, "imports": [1]},
            {**GOOD, "imports": ["a"] * (facts.MAX_MODULES + 1)},
            {**GOOD, "exports": [["a"]]},
            {**GOOD, "exports": [["a", None]]},
            {**GOOD, "exports": {"a": "b"}},
        ],
    )
    def test_bad_reply_is_refused(self, reply):
        """Bad reply is refused."""
        with pytest.raises(ValueError, match="facts: "):
            parse_facts(reply)

    def test_chains_of_names_end(self):
        """Names that stand for each other, and for more and more."""
        exports = {"a": ("x.b", "x.a.a", "y.a"), "b": ("x.a",)}
        known = {
            "x.py": Facts(uses=(bans.Use("", "x.a", 1),), exports=exports),
            "y.py": Facts(exports={"a": ("x.a.y.a",), "*": ("y", "x")}),
            "linear.py": Facts(uses=(bans.Use("", "x.a", 1), bans.Use("", "y.q", 1)), imports=("x", "y")),
        }
        assert violations(HOMEWORK, HOMEWORK.question("linear"), known) == ()


def test_solution_and_variants_are_left_alone():
    """No right answer that we know of uses a banned name."""
    homework = load_homework(ROOT)
    solution = homework.path(homework.solutions)
    known = {file: parse_facts(facts.facts_of((solution / file).read_bytes(), file)) for file in homework.by_file}
    for question in homework.questions:
        assert violations(homework, question, known) == ()
        for variant in sorted((solution / "variants" / question.name).glob("*.py")):
            replaced = parse_facts(facts.facts_of(variant.read_bytes(), f"{question.name}.py"))
            assert violations(homework, question, {**known, f"{question.name}.py": replaced}) == (), variant
