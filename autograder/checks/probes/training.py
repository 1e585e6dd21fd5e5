"""What is looked at to recognise a mistake in training.py.

First at loss_01, then at the batches, then at results, steps and what is left: each only if all before it is right,
since it would show the same mistake again, in a way that depends on how it is written.
"""

import functools
import itertools
import math

import torch

CLASSES = 4

# With LABELS only the first row is wrong, with OTHERS it alone is right. Both are permutations that are their own
# inverses, and look the same from the columns: it does not matter how a comparison over the wrong dimension is written.
LOGITS = torch.tensor([[9, 8.5, 8.25, 7], [8, 6, 7, 5], [6, 5, 7, 8.75], [6, 7, 8, 5]], dtype=torch.float64)
LABELS, OTHERS = torch.tensor([1, 0, 3, 2]), torch.tensor([0, 3, 2, 1])


def probe(hw, see):
    """Look at loss_01, and if it is right at epoch; a pass that several observations look at is made once."""

    @functools.cache
    def parts():
        recording = hw.support("recording")
        return hw.epoch, recording.Log, recording.Model, hw.support("descent").Descent

    @functools.cache
    def run(*args, **options):
        return Pass(*parts(), *args, **options)

    if look_at_loss_01(hw, see) and look_at_batches(run, see):
        look_at_results(run, see)
        look_at_steps(run, see)
        look_at_evaluation(run, see)


def number(value):
    """Return a tensor of one number, or a number, as a float."""
    return float(torch.as_tensor(value).detach())


def kind(loss):
    """Return in words what kind of thing loss_01 returned."""
    if not isinstance(loss, torch.Tensor):
        return "no tensor"
    return f"shape {list(loss.shape)}" if loss.dim() else "right" if loss.is_floating_point() else "not floating"


def look_at_loss_01(hw, see):
    """Look at its values and its kind; return whether all are right."""

    def is_right(H, Y, wanted):
        try:
            return math.isclose(number(hw.loss_01(H, Y)), wanted, abs_tol=1e-6)
        except Exception:  # the same mistake may raise or not
            return False

    found = [
        see("loss_01 of large logits", lambda: number(hw.loss_01(LOGITS, LABELS))) == 0.25,
        see("loss_01 of negative logits", lambda: number(hw.loss_01(LOGITS - 20, OTHERS))) == 0.75,
        see("loss_01 in single precision", lambda: number(hw.loss_01(LOGITS.float(), LABELS))) == 0.25,
        see("loss_01 of one row", lambda: number(hw.loss_01(LOGITS[2:3], torch.tensor([0])))) == 1,
        see("loss_01 of fewer rows than classes", lambda: is_right(LOGITS[1:], torch.tensor([0, 3, 1]), 1 / 3)),
        see("loss_01 of more rows than classes", lambda: is_right(LOGITS[:, :3], torch.tensor([1, 0, 2, 2]), 0.25)),
        see("what loss_01 is", lambda: kind(hw.loss_01(LOGITS, LABELS))) == "right",
    ]
    return all(found)


class Pass:
    """A call of epoch on made-up data, and what came of it.

    Args:
        epoch: the student's.
        Log: from the support code, like the next two.
        Model: made with one of these Logs.
        Descent: the optimizer.
        examples: how many; the first number of each says which it is.
        opt: whether there is an optimizer.
        lr: its rate; with 0 it changes nothing.
        is_open: whether the rate can be found in it.
        old: whether there is a gradient before.
        shape: of an example.
        dtype: of inputs and weights.
        sizes: `batch_size`, or nothing.
    """

    def __init__(
        self,
        epoch,
        Log,
        Model,
        Descent,
        examples,
        *,
        opt=True,
        lr=0.0,
        is_open=False,
        old=False,
        shape=(3,),
        dtype=torch.float64,
        **sizes,
    ):
        each, count = math.prod(shape), torch.arange(examples)
        self.X = (torch.arange(examples * each) ** 2 % 13 / 4 - 1.5).to(dtype).reshape(examples, *shape)
        self.X.flatten(1)[:, 0] = (count + 1) / 8
        self.Y = (count**2 + count // 3) % CLASSES
        self.weight = (torch.arange(CLASSES * each) ** 2 % 11 / 8 - 0.5).to(dtype).reshape(*shape, CLASSES)
        self.data = self.X.clone(), self.Y.clone()
        self.log = Log()
        self.model = Model(self.weight, self.log)
        self.old = torch.ones_like(self.weight) if old else None
        self.model.weight.grad = torch.ones_like(self.weight) if old else None
        self.opt = Descent(self.model.weight, lr, is_open) if opt else None
        self.result = epoch(self.model, self.X, self.Y, self.opt, **sizes)

    def means(self):
        """Return both means."""
        mean_err, mean_loss = self.result
        return [number(mean_err), number(mean_loss)]

    def kinds(self):
        """Return of what type both means are."""
        return [type(mean).__name__ for mean in self.result]

    def batches(self):
        """Return the batches that the model saw, by the first numbers of their examples; twice in a row is once."""
        return [batch for batch, _ in itertools.groupby(self.log.read())]

    def has_same_data(self):
        """Return whether inputs and labels are as before."""
        return torch.equal(self.X, self.data[0]) and torch.equal(self.Y, self.data[1])

    def changed(self):
        """Return in words what became of the model; of several things, the first that explains the others."""
        p = self.model.weight
        if not torch.equal(p.detach(), self.weight):
            return "other weights"
        if not p.requires_grad:
            return "no gradient required"
        if p.grad is None or (self.old is not None and not p.grad.any()):
            return "nothing" if self.old is None else "no gradient"
        return "nothing" if self.old is not None and torch.equal(p.grad, self.old) else "another gradient"


def look_at_batches(run, see):
    """Look at which examples the model sees together, and at the number of steps; return whether batches are right."""

    def even(**options):
        found = run(12, batch_size=4, **options).batches()[:3]
        inside = all(batch == sorted(batch) for batch in found)
        return [[len(batch) for batch in found], inside, found == sorted(found)]

    def uneven(**options):
        at_once = run(11, batch_size=4, **options)
        found, wanted = at_once.batches(), [X[:, 0].tolist() for X in at_once.data[0].split(4)]
        return [len({first for batch in found for first in batch}), found[:3] == wanted]

    right = True
    for name, options in (("with", {"is_open": True}), ("without", {"opt": False})):
        right &= see(f"batches {name} opt", lambda o=options: even(**o)) == [[4, 4, 4], True, True]
        right &= see(f"a smaller last batch {name} opt", lambda o=options: uneven(**o)) == [11, True]
    see("the first batch has 100 examples by default", lambda: len(run(120, opt=False).batches()[0]) == 100)
    see("how many steps three batches make", lambda: len(run(12, batch_size=4, is_open=True).opt.used()))
    see("the data are as before", lambda: run(11, batch_size=4, opt=False).has_same_data())
    return right


def look_at_results(run, see):
    """Look at the means: without steps, where batches do not depend on those before, and then with them."""

    def see_means(name, *args, **options):
        see(f"mean error, {name}", lambda: run(*args, **options).means()[0], tolerance=1e-5)
        see(f"mean loss, {name}", lambda: run(*args, **options).means()[1], tolerance=1e-5)

    see("kinds of the means", lambda: run(11, batch_size=4).kinds())
    see("kinds of the means without opt", lambda: run(11, batch_size=4, opt=False).kinds())
    see_means("a smaller last batch", 11, batch_size=4)
    see_means("in single precision", 12, batch_size=4, dtype=torch.float32)
    see_means("a single batch without opt", 6, batch_size=6, opt=False)
    see_means("in training", 12, batch_size=4, lr=1.0)


def look_at_steps(run, see):
    """Look at the gradients that steps are made with; if there are too many steps or too few, only at how many."""

    def used(examples, **options):
        grads = run(examples, batch_size=4, **options).opt.used()
        return grads if len(grads) == math.ceil(examples / 4) else len(grads)

    see("gradients of the steps", lambda: used(11))
    see("gradient of the only step, where one was before", lambda: used(4, old=True))


def look_at_evaluation(run, see):
    """Look at what epoch changes without an optimizer, and whether it measures what one without steps measures."""

    def as_without_steps():
        found, wanted = (run(12, batch_size=4, **o).means() for o in ({"opt": False}, {"is_open": True}))
        return all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(found, wanted, strict=True))

    see("means without opt", as_without_steps)
    see("what changes without opt", lambda: run(12, batch_size=4, opt=False).changed())
    see("what changes where a gradient was", lambda: run(12, batch_size=4, opt=False, old=True).changed())
