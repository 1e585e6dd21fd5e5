"""What is looked at to recognise a mistake in gradient_check.py: verdicts on functions with one error each.

Inputs are random, so each error is one that a mistake lets pass at almost all inputs or at almost none. What raises is
not accepted: where a right function is not, it does not matter how. Unless it is about something else, a function has
two inputs, and these have two dimensions.
"""

SHAPES = (4, 5), (4, 5)
SQUARE = (5, 5), (5, 5)
ENTRIES = (0, 1, 5, 6, 19)  # the first ones of the first two rows, and the last one
WRONG = ("nonsense", "negated", "half negated", "halved", "0 where it should not be", "reversed")
BROKEN = ("None", "too many rows", "RuntimeError")
OTHER_ERRORS = ("ValueError", "KeyError", "Complaint")
SEEN = ("swapped", "ones", "zeros", "whole numbers")


def probe(hw, see):
    """Look at verdicts on right functions, on wrong ones, on broken ones; then at how they come about."""
    claims, make = hw.support("claims"), hw.support("operations").make

    def says(function, *shapes, by=claims.verdict):
        return by(hw.gradients_are_correct, function, *(shapes or SHAPES))

    def both(claim, **kwargs):
        return claims.weighted(claim, claim, **kwargs)

    def see_right(name, function, *shapes):
        see(f"accepts {name}", lambda: says(function, *shapes) is True)

    def see_wrong(name, function, *shapes):
        see(f"verdict on {name}", lambda: says(function, *shapes))

    see("verdicts on a wrong, then a right one", lambda: [says(both(c), (2, 2), (2, 2)) for c in ("nonsense", "right")])

    see_right("a right function", both("right"))
    see_right("a curved function", claims.waves)
    see_right("zeros in the gradient", claims.of_first_rows("right"))
    see_right("a product of matrices", make("b"), (4, 3), (3, 2))
    see_right("one input", claims.weighted("right"), (2, 3))
    see_right("three inputs", claims.weighted("right", "right", "right"), (2, 3), (2, 3), (2, 3))
    see_right("vectors", both("right"), (5,), (5,))
    see_right("three dimensions", both("right"), (2, 3, 2), (2, 3, 2))

    for claim in (*WRONG, *BROKEN):
        see_wrong(claim, both(claim))
    see_wrong("too few gradients", make("c", 16))
    for seen in SEEN:
        see_wrong(f"gradients at other inputs: {seen}", claims.product(seen))
    for upstream in ("ignored", "averaged", "reversed"):
        see_wrong(f"upstream gradient {upstream}", both("right", upstream=upstream))
    see_wrong("off by 1 % of little", both("off by 1 % of little"))
    see_wrong("large gradients off by 1 %", both("off by 1 %", size=10.0))
    see_wrong("transposed", both("transposed"), *SQUARE)
    see_wrong("not 0 where it should be", claims.of_first_rows("not 0 where it should be"))
    see_wrong("nonsense for the first input", claims.weighted("nonsense", "right"))
    see_wrong("nonsense for the last input", claims.weighted("right", "nonsense"))

    see_sets_of_verdicts(see, says, both, claims)
    # of shapes that no other functions here have
    see("shapes, dtypes, tiny steps", lambda: claims.inputs_in_use(hw.gradients_are_correct, (3, 4), (3, 4)))


def see_sets_of_verdicts(see, says, both, claims):
    """Look at what several similar errors have in common."""

    def errors_in_one_entry():
        return [says(claims.wrong_in_entry(index), by=claims.verdicts) for index in ENTRIES]

    def among_large_ones():
        return says(claims.wrong_among_large(), by=claims.verdicts)

    def errors_in_one_direction():
        return sorted(str(says(both(claim))) for claim in ("too large", "too small"))

    def other_errors():
        found = [says(both(claim)) for claim in OTHER_ERRORS]
        return "raises" if "raises" in found else any(found)

    def types():
        found = {says(both(claim), (2, 3), (2, 3), by=claims.kind_of_verdict) for claim in ("right", "nonsense")}
        return sorted(found - {"bool"})

    see("verdicts on errors in one entry", errors_in_one_entry)
    see("verdict on errors in two entries among large ones", among_large_ones)
    see("verdicts on errors in one direction", errors_in_one_direction)
    see("verdict on other exceptions", other_errors)
    see("types of verdicts", types)
