"""The limit of moments: what is accepted, and one forgery per hypothesis."""

import copy
from itertools import pairwise
from typing import Any

import pytest
from flint import fmpq

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.theorems.moment_limit import annihilator


def document(formula: dict[str, Any], own: dict[str, Any], proof: dict[str, Any], **parts: dict[str, Any]) -> str:
    words = {"domain": "unit-ball", "norm": "sup", "method": "moment-sandwich", "cells": 1, "dim": 3}
    obj: dict[str, Any] = {"format": "depthsep", "version": 1, "made_by": "a test"}
    full = {"kind": "moment-limit", **words, **own}
    obj |= copy.deepcopy({"function": {"kind": "radial", **formula}, "claim": full, "witness": proof})
    for part, changes in parts.items():
        obj[part].update(changes)
    return encode(obj)


def cone(**parts: dict[str, Any]) -> str:
    """1 - r against a + b r^2: the errors at 0, 1/2, 1 are those of 9/8 - r^2, up to the sign 1/8."""
    witness = {"kind": "alternation-radii", "radii": ["0", "1/2", "1"]}
    return document({"expression": "1 - r"}, {"degree": 2, "limit": "1249/10000"}, witness, **parts)


def wave(**parts: dict[str, Any]) -> str:
    """cos(4 pi r^2) alternates at r^2 = 0, 1/4, ...; radii with rational squares are close enough."""
    witness = {"kind": "alternation-radii", "radii": ["0", "1/2", "7/10", "9/10", "1"]}
    return document({"expression": "cos(4*pi*r^2)"}, {"degree": 6, "limit": "3/5"}, witness, **parts)


@pytest.mark.parametrize("text", [
    cone(), wave(), cone(claim={"limit": "1/9"}), cone(claim={"dim": 1}), cone(function={"expression": "d*(1 - r)"}),
    cone(claim={"degree": 0, "limit": "499/1000"}, witness={"radii": ["0", "1"]}),
    cone(function={"expression": "r"}), cone(witness={"radii": ["0", "2/4", "1"]}),
])  # fmt: skip
def test_verified(text: str) -> None:
    assert check(text).status is Status.VERIFIED, check(text).line


def test_statement() -> None:
    assert check(cone()).text == (
        "every even polynomial of degree at most 2 is somewhere on [0, 1] at least 1249/10000 away from phi(r) = 1 - r "
        "(dimension 3), so no moment sandwich with one cell and moments up to that degree proves a smaller error for "
        "f(x) = phi(||x||) on the unit ball; this limits the method of proof, not networks of depth 2"
    )


REFUTED = {
    "a larger limit": (cone(claim={"limit": "126/1000"}), "do not certainly keep even polynomials at a distance of 63"),
    "a tie that balls do not decide": (cone(claim={"limit": "1/8"}), "at a distance of 1/8"),
    "other radii": (cone(witness={"radii": ["0", "1/3", "1"]}), "not certainly keep"),
    "an even polynomial": (cone(function={"expression": "3 - r^2"}), "not certainly keep"),
    "a polynomial within the limit": (cone(function={"expression": "3 - r^2 - 9*r/10"}), "not certainly keep"),
    "a smaller function": (cone(function={"expression": "(1 - r)/2"}), "not certainly keep"),
    "no value at a radius": (cone(function={"expression": "1/r"}), "no certain value at r = 0"),
    "undefined at a radius": (cone(function={"expression": "sqrt(1/3 - r)"}), "no certain value at r = 1/2"),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    text, reason = REFUTED[name]
    verdict = check(text)
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


MALFORMED = {
    "a radius too few": (cone(witness={"radii": ["0", "1"]}), "needs 3 entries, has 2"),
    "a radius too many for the degree": (cone(claim={"degree": 0}), "needs 2 entries, has 3"),
    "a larger degree with the same radii": (cone(claim={"degree": 4}), "needs 4 entries, has 3"),
    "an odd degree": (cone(claim={"degree": 3}), "claim.degree: must be even, found 3"),
    "a negative degree": (cone(claim={"degree": -2}), "claim.degree: -2 is outside 0..100"),
    "a huge degree": (cone(claim={"degree": 102}), "claim.degree: 102 is outside 0..100"),
    "a degree that is a truth value": (cone(claim={"degree": False}), "claim.degree: expected an integer"),
    "radii twice": (cone(witness={"radii": ["0", "1/2", "1/2"]}), "must increase strictly within [0, 1]"),
    "radii in another order": (cone(witness={"radii": ["0", "1", "1/2"]}), "must increase strictly within [0, 1]"),
    "a negative radius": (cone(witness={"radii": ["-1/2", "0", "1"]}), "must increase strictly within [0, 1]"),
    "a radius beyond the ball": (cone(witness={"radii": ["0", "1", "2"]}), "must increase strictly within [0, 1]"),
    "a radius of many digits": (cone(witness={"radii": ["0", f"1/{2**40 + 1}", "1"]}), "denominators of at most 1099"),
    "radii as floats": (cone(witness={"radii": [0, 1, 2]}), 'expected a rational such as "1/10"'),
    "weights of its own": (cone(witness={"weights": ["1", "-2", "1"]}), "unknown key 'weights'"),
    "two cells": (cone(claim={"cells": 2}), "claim.cells: 2 is outside 1..1"),
    "a limit of zero": (cone(claim={"limit": "0"}), "claim.limit: must be positive"),
    "a negative limit": (cone(claim={"limit": "-1/8"}), "claim.limit: must be positive"),
    "another variable": (cone(function={"expression": "1 - t"}), "function.expression: column"),
    "no dimension": (cone(claim={"dim": 0}), "claim.dim: 0 is outside"),
    "a width": (cone(claim={"width": 10}), "unknown key 'width'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    text, reason = MALFORMED[name]
    verdict = check(text)
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [("claim", "norm", "L2"), ("claim", "domain", "R^d"), ("claim", "method", "networks"),
     ("witness", "kind", "measure"), ("function", "kind", "ball-indicator")],
)  # fmt: skip
def test_unsupported(part: str, key: str, value: str) -> None:
    verdict = check(cone(**{part: {key: value}}))
    assert verdict.status is Status.UNSUPPORTED, verdict.line
    assert f"{part}.{key} '{value}'" in verdict.text


@pytest.mark.parametrize("points", [[0, 1], [0, fmpq(1, 4), 1], [fmpq(1, 7), fmpq(2, 7), fmpq(1, 2), fmpq(5, 6), 1]])
def test_the_weights_annihilate_and_alternate(points: list[fmpq]) -> None:
    weights = annihilator([fmpq(p) for p in points])
    for power in range(len(points) - 1):
        assert sum((w * fmpq(p) ** power for w, p in zip(weights, points, strict=True)), fmpq(0)) == 0
    assert all(a * b < 0 for a, b in pairwise(weights))
