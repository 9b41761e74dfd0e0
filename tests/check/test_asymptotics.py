"""Asymptotes of formulas: which are proved, that the bounds hold at points, and which are refused, with the reason."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from flint import arb, fmpq

from depthsep_check import Status, check
from depthsep_check.asymptotics import Unknown, own_activation
from depthsep_check.document import encode
from depthsep_check.expression import parse
from depthsep_check.numbers import precision

GELU = "t*(1+tanh(sqrt(2/pi)*(t+0.044715*t^3)))/2"

# formula: (slope, constant) on the left and on the right
PROVED = {
    "max(0, t)": ("0", "0", "1", "0"),
    "t/(1+abs(t))": ("0", "-1", "0", "1"),
    "1/(1+exp(-t))": ("0", "0", "0", "1"),
    "exp(t)/(1+exp(t))": ("0", "0", "0", "1"),
    "log(1+exp(2*t))/2": ("0", "0", "1", "0"),
    "log(exp(t)+exp(-t))": ("-1", "0", "1", "0"),
    "log(exp(2*t)+exp(-t))": ("-1", "0", "2", "0"),
    "(exp(t)-exp(-t))/(exp(t)+exp(-t))": ("0", "-1", "0", "1"),
    "sqrt(t^2+1)": ("-1", "0", "1", "0"),
    "(t+sqrt(t^2+4))/2": ("0", "0", "1", "0"),
    "sqrt(4*t^2+2*t+9)": ("-2", "-1/2", "2", "1/2"),
    "t/sqrt(1+t^2)": ("0", "-1", "0", "1"),
    GELU: ("0", "0", "1", "0"),
    "t/(1+exp(-t))": ("0", "0", "1", "0"),
    "t*tanh(log(1+exp(t)))": ("0", "0", "1", "0"),
    "max(0,t) + min(0,exp(t)-1)": ("0", "-1", "1", "0"),
    "t*max(0,min(1,t/6+1/2))": ("0", "0", "1", "0"),
    "min(t,0) + max(0,t)/2": ("1", "0", "1/2", "0"),
    "abs(t - 3) + 2": ("-1", "5", "1", "-1"),
    "tanh(exp(t))": ("0", "0", "0", "1"),
    "-exp(-exp(-t))": ("0", "0", "0", "-1"),
    "tanh(t)^3 + 1/(1+t^2)": ("0", "-1", "0", "1"),
    "(t^3 + t)/(t^2 + 5) - t + tanh(t)": ("0", "-1", "0", "1"),
    "cos(1/(1+t^2)) + tanh(t)": ("0", "0", "0", "2"),
    "sin(exp(-t^2)) + max(0, t)": ("0", "0", "1", "0"),
    "max(tanh(t), exp(-t^2)/2 - 1)": ("0", "-1", "0", "1"),
    "abs(exp(-t) - 1)/(1+exp(-t))*tanh(t)": ("0", "-1", "0", "1"),
    "(1+exp(-t))^(-2)": ("0", "0", "0", "1"),
    "1/(1+sqrt(exp(-2*t)+1))": ("0", "0", "0", "1/2"),
    "1/(1+exp(-t/1000))": ("0", "0", "0", "1"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _precise() -> Iterator[None]:
    with precision(128):
        yield


@pytest.mark.parametrize("formula", PROVED)
def test_asymptotes_and_tails(formula: str) -> None:
    activation = own_activation(parse(formula, ("t",)), "own")
    found = (activation.left.slope, activation.left.constant, activation.right.slope, activation.right.constant)
    assert tuple(map(str, found)) == PROVED[formula]
    rng = random.Random(formula)
    for x in [fmpq(k, 7) for k in (0, 3, 11, 30, 200, 5000, 10**6)]:
        bound = activation.tail(arb(x)).upper()
        for _ in range(30):
            t = x * (1 + fmpq(rng.randrange(100), 37)) + rng.randrange(3)
            for point, side in ((t, activation.right), (-t, activation.left)):
                value = activation.value(arb(point))
                assert value.is_finite()
                if point != 0:
                    assert abs(value - (side.slope * point + side.constant)) <= bound + arb("1e-30")


REFUSED = {
    "sin(t)": "oscillates for ever",
    "exp(-t^2)": "two limits are equal",
    "t + tanh(t)": "two slopes are equal",
    "2*t": "two slopes are equal",
    "max(0,t)^2": "faster than linearly",
    "exp(t)": "faster than linearly",
    "-exp(t) + max(0, t)": "faster than linearly",
    "exp(exp(exp(abs(t))))": "faster than any exponential",
    "log(1+abs(t))": "a logarithm",
    "pi*tanh(t)": "rational",
    "exp(tanh(t))": "rational",
    "1/t + tanh(t)": "not proved finite",
    "sqrt(t) + tanh(t)": "square root",
    "sqrt(exp(t))": "square root",
    "log(t^2) + tanh(t)": "a logarithm",
    "exp(t) - exp(t)": "difference of two exponentials",
    "tanh(t)*(((2^200)^200)^200)^200": "enormous",
    "(t^60)^60": "more than 64 terms",
    "t*(t/(1+t^2))": "a product of something that grows",
    "tanh(t) + sin(t^2)/(1+t^2)": "oscillates for ever",
    "t*(pi - pi) + tanh(t)": "cannot be decided",
    "1/(tanh(t) - tanh(t)) + tanh(t)": "no certain sign",
}


@pytest.mark.parametrize("formula", REFUSED)
def test_refused(formula: str) -> None:
    with pytest.raises(Unknown, match=REFUSED[formula]):
        own_activation(parse(formula, ("t",)), "own")


def document(expression: object) -> str:
    """One unit of the user's activation, sharp enough to be a jump within 1/10 where it does not matter."""
    claim = {
        "kind": "univariate", "domain": "line", "interval": ["-1", "1"], "arithmetic": "real",
        "activation": {"expression": expression}, "error": "11/10", "bias": (0.0).hex(),
        "scales": [(8.0).hex()], "offsets": [(0.0).hex()], "weights": [(1.0).hex()],
    }  # fmt: skip
    function = {"kind": "univariate", "expression": "0*t"}
    witness = {"kind": "bisection"}
    top = {"format": "depthsep", "version": 1, "made_by": "a test"}
    return encode({**top, "function": function, "claim": claim, "witness": witness})


def test_documents_with_an_activation_of_ones_own() -> None:
    verdict = check(document("t/(1+abs(t))"))
    assert verdict.status is Status.VERIFIED, verdict.line
    assert "s = t -> t/(1+abs(t))" in verdict.text
    refused = check(document("sin(t)"))
    assert (refused.status, refused.text) == (Status.REFUTED, "activation: at -infinity: it oscillates for ever")
    assert check(document("2*tanh(t)")).status is Status.REFUTED
    assert check(document("max(0, t)")).status is Status.REFUTED
    assert check(document("r")).status is Status.MALFORMED
    assert check(document(3)).status is Status.MALFORMED
