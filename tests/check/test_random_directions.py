"""Random directions: the mean of the profile, the deviation, what is accepted, and one forgery per hypothesis."""

import copy
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq
from scipy import integrate

from depthsep.networks.sphere import EvenProfile, RandomRidges
from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.numbers import parse_rational, precision
from depthsep_check.theorems.random_directions import MeanProfile, Profile, deviation, width

DIM, EPS, BITS, ERROR = 5, Fraction(1, 4), 20, Fraction(1, 10**6)
MEAN = math.exp(math.lgamma(2.5) - math.lgamma(3)) / math.sqrt(math.pi)  # E |V| in dimension 5
SLOPE = Fraction(round(-1e9 / MEAN), 10**9)


def profile(*pairs: tuple[str, str], bias: str = "1") -> Profile:
    thresholds, weights = (tuple(parse_rational(pair[i], "test") for pair in pairs) for i in (0, 1))
    return Profile(parse_rational(bias, "test"), thresholds, weights)


def fewest(own: Profile) -> int:
    low, high = 1, 10**9
    with precision(128):
        while high - low > 1:
            middle = (low + high) // 2
            enough = deviation(DIM, middle, BITS, own) + fmpq(1, 10**6) <= arb(fmpq(1, 4))
            low, high = (low, middle) if enough else (middle, high)
    return high


COUNT = fewest(profile(("0", str(SLOPE))))
VALID: dict[str, Any] = {
    "format": "depthsep",
    "version": 1,
    "made_by": "a test",
    "function": {"kind": "radial", "expression": "1 - r"},
    "claim": {
        "kind": "random-directions",
        "dim": DIM,
        "domain": "unit-ball",
        "norm": "sup",
        "arithmetic": "real",
        "eps": str(EPS),
        "law": "iid-sphere",
        "directions": COUNT,
        "profile": {"bias": "1", "thresholds": ["0"], "weights": [str(SLOPE)]},
        "bits": BITS,
        "seed": 3,
        "generator": "pcg64-normalised",
    },
    "witness": {"kind": "symmetrisation", "mean_error": str(ERROR)},
}


def document(own: dict[str, Any] | None = None, **parts: dict[str, Any]) -> str:
    obj = copy.deepcopy(VALID)
    obj["claim"]["profile"].update(own or {})
    for part, changes in parts.items():
        obj[part].update(changes)
    return encode(obj)


def knots(*pairs: tuple[str, str]) -> dict[str, list[str]]:
    return {"thresholds": [pair[0] for pair in pairs], "weights": [pair[1] for pair in pairs]}


def test_the_statement() -> None:
    verdict = check(document())
    assert verdict.ok, verdict.line
    assert verdict.text == (
        f"with probability at least 1 - 2^-20 over the draw of {COUNT} independent directions u, uniform on the unit "
        "sphere of dimension 5, the network N(x) = c + mean_u g(<u, x>) has |N(x) - f(x)| <= 1/4 for all real x with "
        "||x|| <= 1 (exact arithmetic, ideal directions), f(x) = phi(||x||), phi(r) = 1 - r; depth 2, ReLU, width "
        f"{COUNT + 1}; nothing is proved about any one draw, such as that of seed 3, and a pseudo-random generator is "
        f"a further assumption; c = 1, g(z) = {SLOPE} max(0, |z| - 0)"
    )


@pytest.mark.parametrize(
    "text",
    [
        document(claim={"directions": COUNT + 1}),
        document(claim={"bits": 19}),
        document(claim={"eps": "3/10"}),
        document(claim={"seed": 0}),
        document(function={"expression": "1 - sqrt(r^2)"}),
        document(knots(), function={"expression": "1 + r/11"}, claim={"directions": 1}, witness={"mean_error": "1/10"}),
    ],
)
def test_other_true_claims(text: str) -> None:
    assert check(text).status is Status.VERIFIED, check(text).line


CLAIMED = "random-directions: the error is not certainly at most eps"
REFUTED = {
    "one direction fewer": (document(claim={"directions": COUNT - 1}), CLAIMED),
    "one direction": (document(claim={"directions": 1}), CLAIMED),
    "one bit more": (document(claim={"bits": 21}), CLAIMED),
    "a smaller eps": (document(claim={"eps": "2499/10000"}), CLAIMED),
    "no error of the mean": (document(witness={"mean_error": "0"}), "mean profile"),
    "an error too small": (document(witness={"mean_error": "1/10000000000000"}), "mean profile"),
    "an error above eps": (document(witness={"mean_error": "1/2"}), CLAIMED),
    "another bias": (document({"bias": "1001/1000"}), "mean profile upper"),
    "another slope": (document(knots(("0", str(SLOPE * 101 / 100)))), "mean profile lower"),
    "the sign of the slope": (document(knots(("0", str(-SLOPE)))), "mean profile upper"),
    "a shifted kink": (document(knots(("1/1000", str(SLOPE)))), "mean profile upper"),
    "a profile that is steep beside the mean": (
        document(knots(("0", str(SLOPE)), ("999/1000", "1000"))),
        CLAIMED,
    ),
    "another dimension": (document(claim={"dim": 6}), "mean profile"),
    "another function": (document(function={"expression": "1 - r^2"}), "mean profile"),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    text, reason = REFUTED[name]
    verdict = check(text)
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


MALFORMED = {
    "eps zero": (document(claim={"eps": "0"}), "claim.eps: must be positive"),
    "no bits": (document(claim={"bits": 0}), "claim.bits: 0 is outside"),
    "no directions": (document(claim={"directions": 0}), "claim.directions: 0 is outside"),
    "dimension 1": (document(claim={"dim": 1}), "claim.dim: 1 is outside"),
    "a negative seed": (document(claim={"seed": -1}), "claim.seed: -1 is outside"),
    "thresholds reversed": (document(knots(("1/2", "1"), ("1/4", "1"))), "must lie in [0, 1) and increase strictly"),
    "a threshold twice": (document(knots(("1/2", "1"), ("1/2", "1"))), "must lie in [0, 1) and increase strictly"),
    "a negative threshold": (document(knots(("-1/2", "1"))), "must lie in [0, 1) and increase strictly"),
    "a threshold at 1": (document(knots(("1", "1"))), "must lie in [0, 1) and increase strictly"),
    "a weight too many": (document({"weights": ["1", "2"]}), "claim.profile.weights: needs 1 entries, has 2"),
    "too many thresholds": (document(knots(*[(f"{i}/99", "1") for i in range(65)])), "65 entries"),
    "a float": (document({"bias": "0x1p+0"}), "claim.profile.bias: expected a rational"),
    "a negative error": (document(witness={"mean_error": "-1/10"}), "witness.mean_error: must not be negative"),
    "a width": (document(claim={"width": 10}), "unknown key 'width'"),
    "no formula": (document(function={"expression": "1 -"}), "function.expression: column"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    text, reason = MALFORMED[name]
    verdict = check(text)
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


@pytest.mark.parametrize(
    "claim",
    [{"law": "haar-frames"}, {"generator": "mt19937"}, {"norm": "L2"}, {"domain": "R^d"}, {"arithmetic": "float64"}],
)
def test_unsupported(claim: dict[str, str]) -> None:
    assert check(document(claim=claim)).status is Status.UNSUPPORTED


def test_work_is_limited() -> None:
    many = knots(*[(f"{i}/1000", str((-1) ** i)) for i in range(64)])
    text = document(many, function={"expression": "sin(3000*r)"}, witness={"mean_error": "1/1000"})
    assert check(text).status in (Status.EXHAUSTED, Status.REFUTED)


@pytest.mark.parametrize("dim", [2, 3, 8, 40])
def test_the_mean_of_the_profile(dim: int) -> None:
    own = profile(("0", "1/3"), ("1/5", "-2"), ("3/5", "4"), bias="1/7")
    v = np.sin(np.linspace(-math.pi / 2, math.pi / 2, 400_001))
    density = np.cos(np.linspace(-math.pi / 2, math.pi / 2, 400_001)) ** (dim - 2)
    density /= integrate.simpson(density)
    with precision(128):
        mean = MeanProfile(dim, own)
        for r in (fmpq(0), fmpq(1, 10), fmpq(1, 5), fmpq(2, 5), fmpq(3, 5), fmpq(1)):
            z = np.abs(v) * float(r.p) / float(r.q)
            g = z / 3 - 2 * np.maximum(0, z - 0.2) + 4 * np.maximum(0, z - 0.6)
            assert float(mean.value(arb(r))) == pytest.approx(1 / 7 + integrate.simpson(g * density), abs=1e-6)
        for low, high in ((0.0, 0.3), (0.15, 0.25), (0.5, 1.0)):
            box = arb(low).union(arb(high))
            for r in np.linspace(low, high, 9):
                point = arb(float(r))
                assert mean.value(box).contains(mean.value(point).mid())
                step = (mean.value(point + 1e-6) - mean.value(point)) / arb(1e-6)
                assert float(abs(step - mean.derivative(point))) < 1e-2
                assert mean.derivative(box).contains(mean.derivative(point).mid())


def test_slope_and_extent() -> None:
    own = profile(("1/5", "-2"), ("3/5", "5"))
    z = np.linspace(0, 1, 10_001)
    g = -2 * np.maximum(0, z - 0.2) + 5 * np.maximum(0, z - 0.6)
    assert float(own.extent().p) / float(own.extent().q) == pytest.approx(np.ptp(g))
    assert own.steepest() == 3
    assert (profile().steepest(), profile().extent()) == (0, 0)
    assert profile(("0", "1"), ("1/2", "-1")).extent() == fmpq(1, 2)


def test_the_deviation_is_that_of_the_theorem() -> None:
    own, count, y = profile(("0", "-2")), 1000, 21 * math.log(2)
    mean = 4 / math.sqrt(count)
    variance = 4 * 4 / 50
    expected = mean + math.sqrt(2 * y * (variance + 4 * mean) / count) + 2 * y / (3 * count)
    assert float(deviation(5, count, 20, own)) == pytest.approx(expected)


@pytest.mark.parametrize("dim", [2, 3, 6])
def test_the_variance_is_at_most_what_the_theorem_says(dim: int) -> None:
    rng = np.random.default_rng(dim)
    u = rng.standard_normal((100_000, dim))
    v = np.abs(u[:, 0] / np.linalg.norm(u, axis=1))
    for place in (0.0, 0.3, 0.6):
        values = np.maximum(0, v - place)
        assert values.var() <= 1.02 * min((dim - 1) / (2 * dim**2), (1 - place) ** 2 / 4)


def test_few_draws_miss_the_accuracy() -> None:
    own = EvenProfile(Fraction(1), (Fraction(0),), (SLOPE,))
    rng = np.random.default_rng(1)
    x = rng.standard_normal((300, DIM))
    x /= np.linalg.norm(x, axis=1)[:, None]
    for seed in range(5):
        assert np.abs(RandomRidges(DIM, COUNT, own, seed)(x)).max() <= float(EPS)


def test_width() -> None:
    assert width(100, profile(("0", "1"), ("1/2", "1"))) == 301
    assert width(100, profile(("1/4", "1"), ("1/2", "1"))) == 400
