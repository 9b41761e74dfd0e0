"""Crossings: what is accepted, the counting of pieces against networks, and one forgery per hypothesis."""

import copy
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.theorems.crossings import BALL, SPHERES, capacity

CLAIM: dict[str, Any] = {
    "kind": "crossings",
    "norm": "sup",
    "domain": "unit-ball",
    "activation_class": "piecewise-linear",
    "weight_class": "any",
    "dim": 3,
    "eps": "1/2",
    "depth": 2,
    "activation_pieces": 2,
    "product": 6,
    "width": 5,
}


def document(formula: dict[str, Any], own: dict[str, Any], proof: dict[str, Any], **parts: dict[str, Any]) -> str:
    obj: dict[str, Any] = {"format": "depthsep", "version": 1, "made_by": "a test"}
    obj |= copy.deepcopy({"function": formula, "claim": {**CLAIM, **own}, "witness": proof})
    for part, changes in parts.items():
        obj[part].update(changes)
    return encode(obj)


def waves(**parts: dict[str, Any]) -> str:
    """cos(4 pi r^2) alternates at r^2 = 0, 1/4, 1/2, 3/4 (nearly): 4 values, 6 changes on the diameter."""
    witness = {"kind": "alternation", "grid": 100, "indices": [0, 50, 71, 87], "level": "0"}
    return document({"kind": "radial", "expression": "cos(4*pi*r^2)"}, {}, witness, **parts)


def pairs(**parts: dict[str, Any]) -> str:
    """cos(4 pi t) alternates at t = -1, -3/4, ..., 1: 9 values, 8 changes."""
    witness = {"kind": "alternation", "grid": 4, "indices": list(range(-4, 5)), "level": "0"}
    formula = {"kind": "inner-product", "expression": "cos(4*pi*t)"}
    return document(formula, {"domain": "spheres", "product": 8, "width": 8}, witness, **parts)


def bends(**parts: dict[str, Any]) -> str:
    """r^2 bends more than 2 eps = 1/50 within every interval of length 3/10."""
    witness = {"kind": "bends", "grid": 100, "indices": [-100, -85, -70, -55, -40, -25, -10, 5, 20, 35, 50, 65, 80]}
    claim = {"eps": "1/100", "product": 7, "width": 6}
    return document({"kind": "radial", "expression": "r^2"}, claim, witness, **parts)


@pytest.mark.parametrize(
    "text",
    [
        waves(),
        waves(claim={"depth": 3, "width": 2}),
        waves(claim={"activation_pieces": 4, "width": 2}),
        waves(claim={"product": 5, "width": 4}),
        pairs(),
        pairs(claim={"depth": 3, "width": 2}),
        pairs(claim={"dim": 2}),
        pairs(claim={"activation_pieces": 3, "width": 4}),
        bends(),
        bends(witness={"indices": [-100, -85, -70]}, claim={"product": 2, "width": 1}),
    ],
)
def test_valid_documents(text: str) -> None:
    assert check(text).status is Status.VERIFIED, check(text).line


def test_statements() -> None:
    assert check(waves()).text == (
        "every network of depth 2 and hidden widths w_1, w_2, ... with ReLU units (or any continuous activation of two "
        "linear pieces), linear output and any weights, that is within 1/2 of f(x) = phi(||x||), phi(r) = "
        "cos(4*pi*r^2) for all real x with ||x|| <= 1 in dimension 3, has prod_i (w_i + 1) >= 6, hence a hidden layer "
        "of at least 5 units"
    )
    assert "has 2 w_1 prod_(i >= 2) (4 w_i + 1) >= 8" in check(pairs(claim={"activation_pieces": 3, "width": 4})).text
    assert "f(t) = cos(4*pi*t) for all unit vectors x, x' in dimension 3" in check(pairs()).text


REFUTED = {
    "one unit too many": (waves(claim={"width": 6}), "hidden layers of 5 units each are not too few"),
    "one crossing too many": (waves(claim={"product": 7}), "prove a product of at least 6, not 7"),
    "width at another depth": (waves(claim={"depth": 3}), "hidden layers of 4 units each"),
    "width of another activation": (waves(claim={"activation_pieces": 3}), "hidden layers of 4 units each"),
    "eps equal to the amplitude": (waves(claim={"eps": "1"}), "not certainly more than eps away from the level"),
    "a level too high": (waves(witness={"level": "3/5"}), "at r = 0 the function is not certainly more than eps"),
    "the same side twice": (waves(witness={"indices": [0, 1, 50, 71]}), "at r = 1/100 the function is on the"),
    "a zero of the wave": (waves(witness={"indices": [0, 35, 71, 87]}), "at r = 7/20"),
    "a single point": (waves(witness={"indices": [0]}), "at least 0, not 6"),
    "twice the changes on pairs": (pairs(claim={"product": 16, "width": 16}), "at least 8, not 16"),
    "width on pairs": (pairs(claim={"width": 9}), "hidden layers of 8 units each"),
    "the formula of the ball on pairs": (pairs(claim={"depth": 3, "width": 3}), "hidden layers of 2 units each"),
    "no value": (waves(function={"expression": "1/r"}), "no certain value at r = 0"),
    "a straight line": (bends(function={"expression": "r"}), "an affine function may be within eps around"),
    "a larger eps": (bends(claim={"eps": "2/100"}), "an affine function may be within eps around r = -17/20"),
    "a bend too many": (bends(claim={"product": 8, "width": 7}), "at least 7, not 8"),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    text, reason = REFUTED[name]
    verdict = check(text)
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


MALFORMED = {
    "points not increasing": (waves(witness={"indices": [0, 71, 50, 87]}), "must increase strictly"),
    "a point twice": (waves(witness={"indices": [0, 50, 50, 87]}), "must increase strictly"),
    "a negative radius": (waves(witness={"indices": [-50, 0, 50, 71]}), "-50 is outside 0..100"),
    "a radius above 1": (waves(witness={"indices": [0, 50, 101]}), "101 is outside 0..100"),
    "an inner product below -1": (pairs(witness={"indices": [-5, 0]}), "-5 is outside -4..4"),
    "no points": (waves(witness={"indices": []}), "needs at least one point"),
    "eps zero": (waves(claim={"eps": "0"}), "claim.eps: must be positive"),
    "eps negative": (waves(claim={"eps": "-1/2"}), "claim.eps: must be positive"),
    "depth 1": (waves(claim={"depth": 1}), "claim.depth: 1 is outside"),
    "one linear piece": (waves(claim={"activation_pieces": 1}), "claim.activation_pieces: 1 is outside"),
    "a circle in dimension 1": (pairs(claim={"dim": 1}), "claim.dim: 1 is outside"),
    "another variable": (waves(function={"expression": "cos(4*pi*t)"}), "function.expression: column"),
    "no formula": (waves(function={"expression": 3}), "function.expression: expected a text"),
    "an exponent that is no integer": (waves(function={"expression": "r^(d/2)"}), "function.expression: column"),
    "an even number of bends": (bends(witness={"indices": [0, 1]}), "bends need an odd number of points"),
    "bends on pairs": (pairs(witness={"kind": "bends"}), "unknown key 'level'"),
    "a level of bends": (bends(witness={"level": "0"}), "unknown key 'level'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    text, reason = MALFORMED[name]
    verdict = check(text)
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


def test_bends_are_for_the_ball() -> None:
    witness = {"kind": "bends", "grid": 4, "indices": [-4, 0, 4]}
    text = document({"kind": "inner-product", "expression": "t^2"}, {"domain": "spheres"}, witness)
    assert "bends need an odd number of points on a diameter" in check(text).line


@pytest.mark.parametrize(
    ("key", "value"),
    [("norm", "L2"), ("domain", "cube"), ("activation_class", "sigmoid"), ("weight_class", "entries")],
)
def test_unsupported(key: str, value: str) -> None:
    verdict = check(waves(claim={key: value}))
    assert verdict.status is Status.UNSUPPORTED, verdict.line
    assert f"claim.{key} '{value}'" in verdict.text


def test_a_formula_too_long_for_so_many_points_is_not_evaluated() -> None:
    long = "+".join(["r"] * 200)
    text = waves(function={"expression": long}, witness={"grid": 2**20, "indices": list(range(100_000))})
    assert check(text).status is Status.EXHAUSTED


def test_capacities() -> None:
    assert [capacity(BALL, w, 3, 2) for w in (0, 1, 5)] == [1, 4, 36]
    assert [capacity(SPHERES, w, 3, 2) for w in (0, 1, 5)] == [0, 3, 55]
    assert capacity(BALL, 5, 2, 4) == 16
    assert capacity(SPHERES, 5, 2, 4) == 15


@pytest.mark.parametrize("seed", range(20))
def test_no_network_crosses_more_often_than_its_capacity(seed: int) -> None:
    """Random ReLU networks on a diameter and on the circle, sampled densely: sign changes at most the proved number."""
    rng = np.random.default_rng(seed)
    width, depth = int(rng.integers(1, 5)), int(rng.integers(2, 4))
    h = np.linspace(0, 2 * np.pi, 20_001)
    inputs = {
        BALL: (np.linspace(-1, 1, 20_001)[:, None], 1),
        SPHERES: (np.stack([np.cos(h), np.sin(h)], axis=1), 2),
    }
    for domain, (points, per_piece) in inputs.items():
        layer = points
        for _ in range(depth - 1):
            layer = np.maximum(layer @ rng.standard_normal((layer.shape[1], width)) + rng.standard_normal(width), 0)
        output = layer @ rng.standard_normal(width)
        changes = np.count_nonzero(np.diff(np.sign(output - np.median(output))))
        pieces = capacity(domain, width, depth, 2) * (1 if domain == BALL else 2)
        assert changes <= 2 * per_piece * pieces  # a zero on the grid counts twice


def test_the_sawtooth_reaches_the_bound() -> None:
    """Folding |x| with 2 units a layer: 4 pieces at depth 2 are impossible, as the bound says; 3 are not."""
    assert capacity(BALL, 2, 2, 2) == 3
    knots = np.array([-0.5, 0.5])
    x = np.linspace(-1, 1, 1001)
    network = np.maximum(x[:, None] - knots, 0) @ np.array([-2.0, 2.0]) + x
    turns = np.count_nonzero(np.abs(np.diff(np.diff(network))) > 1e-9)
    assert turns + 1 == Fraction(3)
