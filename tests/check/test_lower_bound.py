"""Lower bounds: what is accepted, the inequality against exact integers, and one forgery per hypothesis."""

import math
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from flint import fmpq

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.expression import parse
from depthsep_check.lower_bound import is_too_narrow, longest_window
from depthsep_check.numbers import precision


def oscillation(**changes: Any) -> str:
    """A valid proof that width >= 10, with changes to the claim, the function or the points."""
    claim = {
        "kind": "width-lower",
        "dim": 10,
        "domain": "unit-ball",
        "norm": "sup",
        "eps": "1/10",
        "depth": "any",
        "activation_class": "any",
        "weight_class": "any",
        "second_layer_width": None,
        "width": 10,
    }
    witness = {"kind": "oscillation", "points": changes.pop("points", ["0", "1"])}
    return document(claim, witness, changes)


def cells(**changes: Any) -> str:
    """A valid proof that width >= 21, with changes to the claim, the function or the grid."""
    claim = {
        "kind": "width-lower",
        "dim": 10,
        "domain": "unit-ball",
        "norm": "sup",
        "eps": "1/100",
        "depth": 3,
        "activation_class": "relu",
        "weight_class": "any",
        "second_layer_width": 1,
        "width": 21,
    }
    return document(claim, {"kind": "cells", "grid": changes.pop("grid", 16384)}, changes)


def document(claim: dict[str, Any], witness: dict[str, Any], changes: dict[str, Any]) -> str:
    function = changes.pop("function", {"kind": "radial", "expression": "1 - r"})
    extra = changes.pop("extra", {})
    obj = {"format": "depthsep", "version": 1, "made_by": "a test", "function": function, "claim": {**claim, **changes}}
    return encode({**obj, "witness": witness, **extra})


def radial(text: str) -> dict[str, str]:
    return {"kind": "radial", "expression": text}


BALL = {"kind": "ball-indicator", "radius": "1/2", "margin": "1/10"}

VALID = {
    "oscillation": oscillation(),
    "oscillation just below": oscillation(eps="49999/100000"),
    "oscillation reversed": oscillation(points=["1", "0"]),
    "oscillation inside": oscillation(function=radial("abs(r - 1/2)"), points=["1/2", "1/8"]),
    "oscillation of balls": oscillation(function=radial("exp(-r^2)"), points=["0", "2/3"]),
    "oscillation of a ball indicator": oscillation(function=BALL, eps="1/3", points=["1/3", "3/5"]),
    "oscillation in dimension 1": oscillation(dim=1, width=1),
    "cells": cells(),
    "cells at depth 2": cells(depth=2),
    "cells with less than can be had": cells(width=12),
    "cells with k = 3": cells(second_layer_width=3, width=14),
    "cells of a profile without exact values": cells(function=radial("exp(-r^2)"), width=19),
}


@pytest.mark.parametrize("name", VALID)
def test_valid_documents(name: str) -> None:
    assert check(VALID[name]).status is Status.VERIFIED, check(VALID[name]).line


def test_statements_name_the_class() -> None:
    assert check(VALID["oscillation"]).text == (
        "every network of any depth >= 2 and any activation, with any weights and no skip connection, that is within "
        "1/10 of f(x) = phi(||x||), phi(r) = 1 - r for all real x with ||x|| <= 1 in dimension 10 has at least 10 "
        "units in its first hidden layer"
    )
    assert "f(x) = ball(1/2, 1/10)" in check(VALID["oscillation of a ball indicator"]).text
    one = "depth 3 with ReLU units in the first and at most 1 unit (or one direction) in the second layer"
    assert one in check(VALID["cells"]).text
    assert "at most 3 units (or 3 directions)" in check(VALID["cells with k = 3"]).text
    assert "every network of depth 2 with ReLU units, with any weights" in check(VALID["cells at depth 2"]).text


REFUTED = {
    "the variation equals 2 eps": (oscillation(eps="1/2"), "does not certainly vary by more than 2 eps"),
    "the same point twice": (oscillation(points=["1/3", "1/3"]), "r = 1/3 and 1/3"),
    "a constant function": (oscillation(function=radial("1")), "does not certainly vary"),
    "no value at a point": (oscillation(function=radial("1/r")), "phi is not defined at r = 0"),
    "free shell": (oscillation(function=BALL, points=["0", "1/2"]), "at r = 1/2 the ball indicator is free"),
    "both points inside": (oscillation(function=BALL, points=["0", "1/10"]), "does not certainly vary"),
    "eps one half of an indicator": (oscillation(function=BALL, eps="1/2"), "does not certainly vary"),
    "one unit too many": (cells(width=22), "21 units are not certainly too few"),
    "absurd width": (cells(width=10**18), "are not certainly too few"),
    "coarse grid": (cells(grid=10), "20 units are not certainly too few on a grid of 10 steps"),
    "larger eps": (cells(eps="1/50"), "not certainly too few"),
    "more directions": (cells(second_layer_width=2), "not certainly too few"),
    "k = dim": (cells(second_layer_width=10, width=1), "needs 1 <= k < dim, found k = 10 in dimension 10"),
    "dimension 1": (cells(dim=1, width=1), "needs 1 <= k < dim, found k = 1 in dimension 1"),
    "another dimension": (cells(dim=9), "not certainly too few"),
    "profile with a pole": (cells(function=radial("1/(r - 1/2)")), "phi is not defined at r = 1/2"),
    "constant profile": (cells(function=radial("1"), width=2), "1 units are not certainly too few"),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    text, reason = REFUTED[name]
    verdict = check(text)
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


MALFORMED = {
    "eps zero": oscillation(eps="0"),
    "eps negative": cells(eps="-1/100"),
    "eps a number": cells(eps=0.01),
    "width above dim": oscillation(width=11),
    "width below dim": oscillation(width=9),
    "depth of an oscillation": oscillation(depth=2),
    "relu oscillation": oscillation(activation_class="relu"),
    "second layer of an oscillation": oscillation(second_layer_width=1),
    "point outside": oscillation(points=["0", "2"]),
    "negative point": oscillation(points=["-1", "1"]),
    "three points": oscillation(points=["0", "1/2", "1"]),
    "any activation in cells": cells(activation_class="any"),
    "depth 2 with k = 2": cells(depth=2, second_layer_width=2, width=17),
    "depth 4": cells(depth=4),
    "depth any": cells(depth="any"),
    "no k": cells(second_layer_width=None),
    "k = 0": cells(second_layer_width=0),
    "k true": cells(second_layer_width=True),
    "grid zero": cells(grid=0),
    "grid too fine": cells(grid=10**9),
    "width zero": cells(width=0),
    "a network": cells(extra={"network": None}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    assert check(MALFORMED[name]).status is Status.MALFORMED, check(MALFORMED[name]).line


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (cells(function=BALL), "the cells argument for a ball indicator"),
        (cells(norm="L2"), "claim.norm 'L2'"),
        (cells(weight_class="bounded"), "claim.weight_class 'bounded'"),
        (cells(domain="spheres"), "claim.domain 'spheres'"),
    ],
)
def test_unsupported(text: str, what: str) -> None:
    verdict = check(text)
    assert verdict.status is Status.UNSUPPORTED
    assert what in verdict.text


def test_the_longest_window_of_the_cone() -> None:
    """For 1 - r the exact value is 4 eps (1 - eps); the grid may add its two end steps."""
    for grid in (100, 128, 1000):
        with precision(128):
            bound = longest_window(parse("1 - r"), 3, fmpq(1, 100), grid)
        exact = fmpq(4 * 99, 10_000)
        assert exact <= bound <= exact + fmpq(4, grid)


@pytest.mark.parametrize("text", ["abs(r - 1/3)", "sin(9*r)/3", "exp(-r^2)", "max(r, 1/4)", "sqrt(r)", "r*(1 - r)"])
@pytest.mark.parametrize("grid", [7, 64])
def test_no_interval_is_longer_than_the_longest_window(text: str, grid: int) -> None:
    """Intervals between points of a fine grid on which the sampled profile varies by at most 2 eps."""
    expression, eps, fine = parse(text), fmpq(1, 20), 448
    with precision(128):
        bound = longest_window(expression, 3, eps, grid)
        values = [float(expression.ball(fmpq_ball(i, fine), 3).mid()) for i in range(fine + 1)]
    longest = Fraction(0)
    for low in range(fine + 1):
        high = low
        while high < fine and max(values[low : high + 2]) - min(values[low : high + 2]) <= 0.1 - 1e-9:
            high += 1
        longest = max(longest, Fraction(high * high - low * low, fine * fine))
    assert longest <= Fraction(int(bound.p), int(bound.q)) <= longest + Fraction(6, grid)


def fmpq_ball(top: int, bottom: int) -> Any:
    from flint import arb

    return arb(fmpq(top, bottom))


def test_a_wider_variation_than_the_limit_only_at_undecided_points_is_not_used() -> None:
    """The variation of r/5 over [0, 1] equals 2 eps: not certainly above, so the window is everything."""
    with precision(128):
        assert longest_window(parse("r/5"), 3, fmpq(1, 10), 16) == 1


@pytest.mark.parametrize(("dim", "k"), [(2, 1), (3, 1), (7, 3), (40, 1), (40, 39)])
@pytest.mark.parametrize("longest", [fmpq(1, 3), fmpq(1, 50), fmpq(1)])
def test_the_inequality_agrees_with_exact_integers(dim: int, k: int, longest: fmpq) -> None:
    mpmath.mp.dps = 50
    volume = [mpmath.pi ** (mpmath.mpf(j) / 2) / mpmath.gamma(mpmath.mpf(j) / 2 + 1) for j in range(dim + 1)]
    size = mpmath.mpf(int(longest.p)) / int(longest.q)
    right = volume[dim] / (volume[k] * volume[dim - k] * size ** (mpmath.mpf(dim - k) / 2))
    with precision(128):
        for width in (0, 1, dim - 1, dim, 2 * dim, 5 * dim):
            left = sum(math.comb(width, i) for i in range(dim + 1))
            assert is_too_narrow(width, dim, k, longest) == (left < right)


def test_large_dimensions_are_decided() -> None:
    assert check(cells(dim=10**5, width=10**5, grid=64)).status in (Status.VERIFIED, Status.REFUTED)
