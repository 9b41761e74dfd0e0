"""The checker of depth-3 networks of smooth units: its lemma against points, whole documents, and forgeries."""

from __future__ import annotations

import copy
import itertools
import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import arb

from depthsep_check import check
from depthsep_check.activations import ACTIVATIONS
from depthsep_check.approximations.smooth_squares import _CUBIC, _DERIVATIVES, _Branch, read_smooth_network
from depthsep_check.document import encode
from depthsep_check.numbers import precision

Obj = dict[str, Any]


def square(activation: str = "softplus") -> Obj:
    """A sum of squares, read by one unit of the second layer."""
    places = {"softplus": 0.0, "sigmoid": -math.log(2 + math.sqrt(3)), "tanh": -math.atanh(1 / math.sqrt(3))}
    centre = places[activation]
    slope = {"softplus": 0.5, "sigmoid": 1 / 6, "tanh": 2 / 3}[activation]
    odd = {"softplus": 1.0, "sigmoid": 0.25, "tanh": 1.0}[activation]
    first = {"gain": 0.125, "centre": centre, "weight": 64.0, "linear_gain": 2.0**-7}
    first["linear_weight"] = -64 * 0.125 * slope / (odd * 2.0**-7)
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": "1/10 + 0*r"},
        "claim": {"kind": "smooth-error", "dim": 3, "domain": "unit-ball", "arithmetic": "real", "error": "1/5"},
        "network": {
            "kind": "smooth-separable",
            "activation": activation,
            "dim": 3,
            "first": {name: number.hex() for name, number in first.items()},
            "second": {"bias": "0x0p+0", "gains": ["0x1p-8"], "biases": ["-0x1p-1"], "weights": ["0x1p-3"]},
        },
        "witness": {"kind": "taylor"},
    }


@pytest.mark.parametrize("activation", _DERIVATIVES)
def test_derivatives_are_derivatives(activation: str) -> None:
    with precision(200):
        step = arb(2) ** -40
        for place in (-3.0, -0.5, 0.0, 0.7, 2.0):
            value: Callable[[arb], arb] = ACTIVATIONS[activation].value
            chain = [value] + [lambda z, i=i: _DERIVATIVES[activation](z)[i] for i in range(4)]
            for before, after in itertools.pairwise(chain):
                quotient = (before(place + step) - before(place - step)) / (2 * step)
                assert abs(quotient - after(arb(place))) < 1e-20


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_cubic_constants_bound_the_odd_part(activation: str) -> None:
    with precision(128):
        for z in (arb(k) / 7 for k in range(1, 60)):
            start, slope = ACTIVATIONS[activation].value(arb(0)), _DERIVATIVES[activation](arb(0))[0]
            assert abs(ACTIVATIONS[activation].value(z) - start - slope * z) <= arb(_CUBIC[activation]) * z**3


@pytest.mark.parametrize("activation", _DERIVATIVES)
def test_the_branch_contains_the_network(activation: str) -> None:
    rng = random.Random(7)
    obj = square(activation)
    for trial in range(40):
        changed = copy.deepcopy(obj["network"])
        if trial:  # nothing need cancel
            for name in ("gain", "centre", "weight", "linear_gain", "linear_weight"):
                changed["first"][name] = rng.uniform(-2, 2).hex()
            changed["second"] = {name: [rng.uniform(-2, 2).hex() for _ in range(3)] for name in ("gains", "biases")} | {
                "bias": rng.uniform(-1, 1).hex(),
                "weights": [rng.uniform(-2, 2).hex() for _ in range(3)],
            }
        with precision(128):
            network = read_smooth_network(changed, "network")
            x = [rng.gauss(0, 1) if trial % 3 else rng.choice([0, 1]) + 0.001 for _ in range(3)]
            scale = rng.uniform(0, 1) / math.hypot(*x)
            point = [arb(entry * scale) for entry in x]
            s = ACTIVATIONS[activation].value
            total = sum(point, arb(0))
            linear = network.linear_gain * total
            odd = s(linear) - s(-linear) if activation == "softplus" else s(linear)
            q = network.weight * sum((s(network.gain * t + network.centre) for t in point), arb(0))
            q += network.linear_weight * odd
            rows = zip(network.gains, network.biases, network.weights, strict=True)
            value = network.bias + sum((w * s(g * q + b) for g, b, w in rows), arb(0))
            radius = sum((t * t for t in point), arb(0)).sqrt()
            branch = _Branch.of(network)
            assert branch.value(radius).contains(value.mid())
            wide = branch.value(radius.union(radius + 0.1))
            assert wide.contains(value.mid())


@pytest.mark.parametrize("activation", _DERIVATIVES)
def test_documents(activation: str) -> None:
    verdict = check(encode(square(activation)))
    widths = "5 and 1" if activation == "softplus" else "4 and 1"
    assert verdict.line == (
        "VERIFIED sup error <= 1/5 on the unit ball of dimension 3, real arithmetic: depth 3, "
        f"{activation}, widths {widths}, function 1/10 + 0*r"
    )


def _put(path: str, value: object) -> Obj:
    obj = square()
    *parents, last = path.split(".")
    place: Any = obj
    for name in parents:
        place = place[name]
    place[last] = value
    return obj


@pytest.mark.parametrize(
    ("path", "value", "status"),
    [
        ("claim.error", "1/1000000", "REFUTED"),
        ("claim.error", "-1", "MALFORMED"),
        ("claim.dim", 4, "MALFORMED"),
        ("claim.dim", True, "MALFORMED"),
        ("claim.domain", "sphere-pairs", "UNSUPPORTED"),
        ("claim.arithmetic", "float64", "UNSUPPORTED"),
        ("claim.norm_slack", "0", "MALFORMED"),
        ("function.kind", "ball-indicator", "UNSUPPORTED"),
        ("function.expression", "1/r", "REFUTED"),
        ("function.expression", 1, "MALFORMED"),
        ("function.expression", "1 +", "MALFORMED"),
        ("network.activation", "relu", "UNSUPPORTED"),
        ("network.activation", "gelu", "UNSUPPORTED"),
        ("network.kind", "separable", "UNSUPPORTED"),
        ("network.first.gain", "nan", "MALFORMED"),
        ("network.first.gain", 0.125, "MALFORMED"),
        ("network.first.gain", "0x1p+3", "EXHAUSTED"),
        ("network.first.weight", "0x1p+12", "REFUTED"),
        ("network.first.bonus", "0x1p+0", "MALFORMED"),
        ("network.second.bias", "0x1p+0", "REFUTED"),
        ("network.second.gains", [], "MALFORMED"),
        ("network.second.weights", ["0x1p-3", "0x0p+0"], "MALFORMED"),
        ("witness.kind", "believe-me", "UNSUPPORTED"),
        ("witness.error", "0", "MALFORMED"),
    ],
)
def test_forgeries(path: str, value: object, status: str) -> None:
    assert check(encode(_put(path, value))).status.name == status


def test_a_bias_off_its_place_is_counted() -> None:
    """An offset of the second bias shifts the value by a known amount; the least claims follow it."""
    obj = square()
    obj["function"]["expression"] = "0*r"

    def least(obj: Obj) -> Fraction:
        low, high = Fraction(0), Fraction(1)
        for _ in range(12):
            middle = (low + high) / 2
            obj["claim"]["error"] = str(middle)
            low, high = (low, middle) if check(encode(obj)).ok else (middle, high)
        return high

    before = least(obj)
    obj["network"]["second"]["bias"] = "0x1p-4"
    assert abs(least(obj) - before - Fraction(1, 16)) < Fraction(1, 500)
