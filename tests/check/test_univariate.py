"""The univariate statement: what is accepted, and one forgery per hypothesis."""

from __future__ import annotations

import copy
import random
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq

from depthsep_check import Status, check
from depthsep_check.activations import ACTIVATIONS
from depthsep_check.document import encode
from depthsep_check.numbers import precision

Obj = dict[str, Any]


def document(
    expression: str, activation: str, error: str, units: list[tuple[float, float, float]], **claim: Any
) -> Obj:
    """Units (scale, offset, weight)."""
    columns = [[float(x).hex() for x in column] for column in zip(*units, strict=True)] or [[], [], []]
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "a test",
        "function": {"kind": "univariate", "expression": expression},
        "claim": {
            "kind": "univariate",
            "domain": "line",
            "interval": ["-1", "1"],
            "arithmetic": "real",
            "activation": activation,
            "error": error,
            "bias": (0.0).hex(),
            **dict(zip(("scales", "offsets", "weights"), columns, strict=True)),
            **claim,
        },
        "witness": {"kind": "bisection"},
    }


def hat() -> Obj:
    """|t| on [-1, 1], exactly: constant beyond."""
    return document("abs(t)", "relu", "1/1000", [(1, -1, -1), (1, 0, 2), (1, 1, -1)], bias=(1.0).hex())


def stairs() -> Obj:
    """t on [-1, 1] by four jumps of 1/2 from -3/4... each level within 1/4 (a tie) of t."""
    jumps = [(1, -0.5, 0.5), (1, 0.0, 0.5), (1, 0.5, 0.5)]
    return document("t", "step", "1/4", jumps, bias=(-0.75).hex())


def smooth() -> Obj:
    """tanh(3 t) from two units: half of it each, the second one mirrored."""
    return document("tanh(3*t)", "tanh", "1/100", [(3, 0, 0.5), (-3, 0, -0.5)])


def ramp() -> Obj:
    return document("max(-1/2, min(1/2, t))", "hard_tanh", "1/1000", [(2, 0, 0.5)])


VALID = {
    "relu": hat(),
    "a step, with ties": stairs(),
    "tanh": smooth(),
    "hard tanh": ramp(),
    "sigmoid": document("tanh(t)/2", "sigmoid", "1/10000", [(2, 0, 1)], bias=(-0.5).hex(), interval=["-20", "20"]),
    "softplus": document(
        "max(0, t) - max(0, t - 1)", "softplus", "1/50", [(64, 0, 2**-6), (64, 64, -(2**-6))], interval=["-1", "2"]
    ),
    "gelu": document(
        "max(0, t) - max(0, t - 1)", "gelu", "1/50", [(16, 0, 2**-4), (16, 16, -(2**-4))], interval=["-1", "2"]
    ),
    "silu, mirrored": document(
        "max(0, t) - max(0, t - 1)", "silu", "1/50", [(-16, 0, 2**-4), (-16, -16, -(2**-4))], bias=(1.0).hex(),
        interval=["-1", "2"],
    ),
    "erf": document("0*t", "erf", "2", [(1, 0, 1.5)]),
    "leaky relu": document("abs(t)", "leaky_relu", "1/1000", [(1, 0, 2 / 0.99), (-1, 0, 0)], domain="interval",
                           bias=0.0.hex()) | {},
    "no units": document("t/4", "gelu", "1/4", []),
    "sqrt": document("sqrt(abs(t))", "relu", "3/5", [], bias=(0.5).hex(), domain="interval"),
}  # fmt: skip
VALID["leaky relu"]["function"]["expression"] = "max(2*t, t/50) / 99 * 100"


@pytest.mark.parametrize("name", VALID)
def test_valid_documents(name: str) -> None:
    verdict = check(encode(VALID[name]))
    assert verdict.status is Status.VERIFIED, verdict.line


def test_statements() -> None:
    assert check(encode(hat())).text == (
        "|h(t) - f(t)| <= 1/1000 for all real t (exact arithmetic); h(t) = a + sum of 3 units "
        "alpha_i s(beta_i t - gamma_i), s = relu; f(t) = abs(t) on [-1, 1], constant on both sides of it"
    )
    inside = hat()
    inside["claim"]["domain"] = "interval"
    assert "for all real t in [-1, 1] (exact arithmetic)" in check(encode(inside)).text
    assert check(encode(inside)).text.endswith("f(t) = abs(t)")


def changed(obj: Obj, **claim: Any) -> Obj:
    obj = copy.deepcopy(obj)
    obj["claim"].update(claim)
    return obj


def weight(*values: float) -> list[str]:
    return [float(v).hex() for v in values]


REFUTED = {
    "an error below that of the ties": (changed(stairs(), error="249/1000"), "the error exceeds"),
    "one unit missing beyond the interval": (
        changed(hat(), scales=weight(1, 1), offsets=weight(-1, 0), weights=weight(-1, 2)),
        "slope 1 far right",
    ),
    "a slope far left": (
        document("abs(t)", "relu", "1/1000", [(1, 0, 1), (-1, 0, 1)]),
        "slope -1 far left",
    ),
    "a slope of one bit": (changed(hat(), weights=weight(-1, 2, -1 + 2**-50)), "far right, not 0"),
    "another activation": (changed(hat(), activation="softplus"), "the error exceeds"),
    "another leaky activation": (changed(hat(), activation="leaky_relu"), "the error exceeds"),
    "a jump on the other side": (
        changed(stairs(), scales=weight(-1, 1, 1), offsets=weight(0.5, 0, 0.5)),
        "the error exceeds",
    ),
    "a needle: two units with one place": (
        document("0*t", "step", "1/2", [(1, 0, 1), (-1, 0, 1)], bias=(-1.0).hex()),
        "the error at the jump t = 0",
    ),
    "a needle at the end": (
        document("0*t", "step", "1/2", [(1, 1, 1), (-1, -1, 1)], bias=(-1.0).hex(), domain="interval"),
        "the error at the jump t = 1",
    ),
    "a needle beyond the end": (
        document("0*t", "step", "1/2", [(1, 3, 1), (-1, -3, 1)], bias=(-1.0).hex()),
        "the error at the jump t = 3",
    ),
    "a bump far out": (
        document("0*t", "tanh", "1/2", [(1, 1000, 1), (1, 1010, -1)]),
        "the error exceeds 1/2 at t =",
    ),
    "another limit": (document("0*t", "sigmoid", "1/2", [(1, 100, 1)]), "the error exceeds"),
    "a limit that is only approached": (
        document("0*t", "hard_tanh", "1/2", [(1e-3, 0, 0.51)]),
        "the error exceeds 1/2 at t =",
    ),
    "a function without a value": (document("1/t", "relu", "1", [], domain="interval"), "no certain value"),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    forged, reason = REFUTED[name]
    verdict = check(encode(forged))
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


def without(obj: Obj, key: str) -> Obj:
    obj = copy.deepcopy(obj)
    del obj["claim"][key]
    return obj


MALFORMED = {
    "no bias": (without(hat(), "bias"), 'the key "bias" is missing'),
    "a width": (changed(hat(), width=3), "unknown key"),
    "an error of 0": (changed(hat(), error="0"), "must be positive"),
    "a negative error": (changed(hat(), error="-1"), "must be positive"),
    "an error in decimals": (changed(hat(), error="0.1"), "expected a rational"),
    "an interval of one point": (changed(hat(), interval=["1", "1"]), "its ends must increase"),
    "a reversed interval": (changed(hat(), interval=["1", "-1"]), "its ends must increase"),
    "three ends": (changed(hat(), interval=["-1", "0", "1"]), "the two ends"),
    "a unit that does not look": (changed(hat(), scales=weight(1, 0, 1)), "belongs into the bias"),
    "too few weights": (changed(hat(), weights=weight(-1, 2)), "needs 3 entries"),
    "too many offsets": (changed(hat(), offsets=weight(-1, 0, 1, 2)), "needs 3 entries"),
    "a weight that is no float64": (changed(hat(), weights=["-1", "2", "1/3"]), "expected a float64"),
    "a formula in another variable": (
        {**hat(), "function": {"kind": "univariate", "expression": "abs(r)"}},
        "function.expression",
    ),
    "a witness with more": ({**hat(), "witness": {"kind": "bisection", "pieces": 3}}, "unknown key"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    forged, reason = MALFORMED[name]
    verdict = check(encode(forged))
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


@pytest.mark.parametrize(
    "forged",
    [
        changed(hat(), activation="swish"),
        changed(hat(), domain="plane"),
        changed(hat(), arithmetic="float64"),
        {**hat(), "function": {"kind": "radial", "expression": "abs(t)"}},
        {**hat(), "witness": {"kind": "trust"}},
    ],
)
def test_unsupported(forged: Obj) -> None:
    assert check(encode(forged)).status is Status.UNSUPPORTED


def test_work_is_limited() -> None:
    wild = document("sin(1e9*t)", "tanh", "1/2", [(1, 0, 1)], domain="interval")
    assert check(encode(wild)).status in (Status.EXHAUSTED, Status.REFUTED)
    tie = document("sqrt(abs(t - 1/3)) - 1", "relu", "1", [], domain="interval")
    assert check(encode(tie)).status in (Status.EXHAUSTED, Status.REFUTED)
    slow = document("0*t", "sigmoid", "2", [(1e-300, 0, 1)])
    assert check(encode(slow)).status is Status.VERIFIED


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_what_is_verified_is_true_at_random_points(activation: str) -> None:
    """Random sums against a constant: the least error that is accepted is at least the error at any point."""
    rng = random.Random(activation)
    for _ in range(4):
        units = [(rng.choice((-8, -1, 0.5, 3, 20)), rng.uniform(-4, 4), rng.uniform(-1, 1)) for _ in range(4)]
        with precision(128):
            s = ACTIVATIONS[activation].value
            points = [fmpq(rng.randrange(-1000, 1001), 1000) for _ in range(200)] + [fmpq(-1), fmpq(1)]
            worst = arb(0)
            for t in points:
                total = sum((arb(w) * s(arb(b) * t - arb(g)) for b, g, w in units), arb(0))
                worst = worst.max(abs(total))
            below, above = Fraction(float(worst.mid())) * 999 / 1000, Fraction(float(worst.mid())) * 3 / 2 + 1
        claim = document("0*t", activation, str(below), units, domain="interval")
        assert check(encode(claim)).status is Status.REFUTED
        assert check(encode(changed(claim, error=str(above)))).status is Status.VERIFIED
