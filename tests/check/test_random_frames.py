"""Random frames: the parts of the proof against other computations, and one forgery per hypothesis."""

import copy
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq
from scipy import integrate, stats

from depthsep.constructions.random_frames import build_random
from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.numbers import precision
from depthsep_check.theorems.random_frames import (
    failure_high,
    failure_low,
    mean_exp_absolute,
    mean_exp_negative,
    mean_exp_positive,
    width,
)

VALID: dict[str, Any] = json.loads(build_random("1 - r", dim=5, eps="0.2", failure_probability="2^-20").document_text)
EIGHTH = build_random("1 - r", dim=3, eps="0.3", failure_probability="1/8")


def document(**parts: dict[str, Any]) -> str:
    obj = copy.deepcopy(VALID)
    for part, changes in parts.items():
        obj[part].update(changes)
    return encode(obj)


def moved(key: str, place: int, value: str) -> dict[str, Any]:
    angles = list(VALID["witness"][key])
    angles[place] = value
    return {key: angles}


CLAIM, WITNESS = VALID["claim"], VALID["witness"]
FRAMES, TAU = CLAIM["frames"], Fraction(WITNESS["tau_low"])
SCALE, EPS = Fraction(CLAIM["scale"]), Fraction(CLAIM["eps"])
LARGEST = math.atan(1 / (2 * float(TAU) * math.sqrt(5)))
BILLIONTH = Fraction(1, 10**9)


def test_the_statement() -> None:
    verdict = check(document())
    assert verdict.ok
    assert verdict.text == (
        f"with probability at least 1 - 2^-20 over the draw of {FRAMES} independent Haar frames of dimension 5, u "
        f"their {5 * FRAMES} rows, the network N(x) = 4/5 - c sum_u |<u, x>|, 1/c = {FRAMES} sqrt(5) {SCALE}, has "
        "|N(x) - (1 - ||x||)| <= 1/5 for all real x with ||x|| <= 1 (exact arithmetic, ideal frames); depth 2, ReLU, "
        f"width {5 * FRAMES + 1}; nothing is proved about any one draw, such as that of seed 0, and a pseudo-random "
        "generator is a further assumption"
    )


@pytest.mark.parametrize(
    "text",
    [
        document(claim={"seed": 2**64 - 1}),
        document(claim={"bits": 19}),
        document(claim={"frames": FRAMES + 1}),
        document(claim={"eps": "1/4"}),
        document(function={"expression": "abs(1 - r)"}),
        document(function={"expression": "7 + 9*r/10"}),
        document(function={"expression": "1 - r + 1/10^9*r"}),
        document(function={"expression": "3*d - r"}),
        document(claim={"scale": str(SCALE * (1 - BILLIONTH / 1000))}),
    ],
)
def test_weaker_claims_are_verified(text: str) -> None:
    assert check(text).status is Status.VERIFIED, check(text).line


REFUTED = {
    "two bits more": (document(claim={"bits": 22}), "not certainly at most 2^-22"),
    "one frame fewer": (document(claim={"frames": FRAMES - 1}), "not certainly at most 2^-20"),
    "a third of the frames": (document(claim={"frames": FRAMES // 3}), "not certainly at most 2^-20"),
    "a single frame": (document(claim={"frames": 1}), "not certainly at most 2^-20"),
    "a smaller eps": (document(claim={"eps": "19/100"}), "ratio: scale * (1 - 2 eps/|beta|) exceeds tau_low"),
    "a steeper cone": (document(function={"expression": "1 - 11*r/10"}), "ratio"),
    "a slope off by a billionth": (document(function={"expression": "1 - r - r/10^9"}), "ratio"),
    "a steeper cone by the dimension": (document(function={"expression": "d*r"}), "ratio"),
    "the ratio off by a billionth": (document(claim={"scale": str(SCALE * (1 + BILLIONTH))}), "ratio"),
    "tau off by a billionth": (document(witness={"tau_low": str(TAU * (1 - BILLIONTH))}), "ratio"),
    "eps off by a billionth": (document(claim={"eps": str(EPS - BILLIONTH)}), "ratio"),
    "tau and scale exchanged": (document(claim={"scale": str(TAU)}, witness={"tau_low": "9/10"}), "not certainly"),
    "a smaller scale": (document(claim={"scale": str(SCALE * Fraction(99, 100))}), "not certainly at most 2^-20"),
    "a larger tau": (document(witness={"tau_low": str(TAU * Fraction(105, 100))}), "not certainly at most 2^-20"),
    "another dimension": (document(claim={"dim": 4}), "not certainly at most 2^-20"),
    "some of the angles": (document(witness={"angles_high": WITNESS["angles_high"][:60]}), "not certainly at most"),
    "two angles": (document(witness={"angles_low": ["0", "1/8"]}), "not certainly at most"),
    "beyond pi/2": (document(witness=moved("angles_high", -1, "1571/1000")), "angles_high: the last angle"),
    "far beyond pi/2": (document(witness=moved("angles_high", -1, "3")), "angles_high: the last angle"),
    "beyond hmax": (document(witness=moved("angles_low", -1, str(Fraction(LARGEST + 1e-9)))), "angles_low: the last"),
    "a tangent that is negative": (document(witness=moved("angles_low", -1, "2")), "angles_low: the last angle"),
    "a tangent after a whole turn": (document(witness=moved("angles_low", -1, "3142/1000")), "angles_low: the last"),
    "a huge factor": (document(witness={"a_high": "1000"}), "not certainly at most"),
    "a tiny factor": (document(witness={"a_low": "1/1000000"}), "not certainly at most"),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    text, reason = REFUTED[name]
    verdict = check(text)
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


MALFORMED = {
    "eps one half": (document(claim={"eps": "1/2"}), "claim.eps: must be below |beta|/2"),
    "eps above one half": (document(claim={"eps": "3/5"}), "claim.eps: must be below |beta|/2"),
    "eps for a flat cone": (document(function={"expression": "1 - 2*r/5"}), "claim.eps: must be below |beta|/2"),
    "eps zero": (document(claim={"eps": "0"}), "claim.eps: must be positive"),
    "eps negative": (document(claim={"eps": "-1/5"}), "claim.eps: must be positive"),
    "no formula": (document(function={"expression": "1 - "}), "function.expression: column 5"),
    "a formula in t": (document(function={"expression": "1 - t"}), "function.expression: column 5"),
    "eps a float": (document(claim={"eps": "0x1p-3"}), "claim.eps: expected a rational"),
    "no bits": (document(claim={"bits": 0}), "claim.bits: 0 is outside"),
    "bits a text": (document(claim={"bits": "20"}), "claim.bits: expected an integer"),
    "bits true": (document(claim={"bits": True}), "claim.bits: expected an integer"),
    "dimension 1": (document(claim={"dim": 1}), "claim.dim: 1 is outside"),
    "no frames": (document(claim={"frames": 0}), "claim.frames: 0 is outside"),
    "a negative seed": (document(claim={"seed": -1}), "claim.seed: -1 is outside"),
    "no scale": (document(claim={"scale": "0"}), "claim.scale: must be positive and at most 1000"),
    "a negative factor": (document(witness={"a_high": "-1"}), "witness.a_high: must be positive"),
    "no factor": (document(witness={"a_low": "0"}), "witness.a_low: must be positive"),
    "a factor beyond the limit": (document(witness={"a_low": "1001"}), "witness.a_low: must be positive and at most"),
    "tau negative": (document(witness={"tau_low": "-1/2"}), "witness.tau_low: must be positive"),
    "tau one": (document(witness={"tau_low": "1"}), "witness.tau_low: must be below 1"),
    "tau above one": (document(witness={"tau_low": "11/10"}), "witness.tau_low: must be below 1"),
    "angles reversed": (document(witness={"angles_high": WITNESS["angles_high"][::-1]}), "must increase strictly"),
    "an angle twice": (document(witness=moved("angles_low", 1, WITNESS["angles_low"][0])), "must increase strictly"),
    "a negative angle": (document(witness=moved("angles_low", 0, "-1/100")), "must increase strictly, from 0 on"),
    "one angle": (document(witness={"angles_low": ["1/8"]}), "needs at least two angles"),
    "no angles": (document(witness={"angles_high": []}), "needs at least two angles"),
    "too many angles": (document(witness={"angles_low": ["1/8"] * 5000}), "5000 entries"),
    "a width": (document(claim={"width": 10}), "unknown key 'width'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    text, reason = MALFORMED[name]
    verdict = check(text)
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


UNSUPPORTED = {
    "another profile": document(function={"expression": "1 - r^2"}),
    "a constant": document(function={"expression": "1"}),
    "a slope that is not rational": document(function={"expression": "1 - pi*r/3"}),
    "a kink inside": document(function={"expression": "abs(1 - 2*r)"}),
    "a kink just inside": document(function={"expression": "max(1 - r, 1/10^9)"}),
    "another function": document(function={"kind": "ball-indicator"}),
    "another law": document(claim={"law": "iid-sphere"}),
    "another generator": document(claim={"generator": "mt19937"}),
    "another norm": document(claim={"norm": "L2"}),
    "float arithmetic": document(claim={"arithmetic": "float64"}),
    "all of space": document(claim={"domain": "R^d"}),
    "another witness": document(witness={"kind": "listed"}),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported(name: str) -> None:
    assert check(UNSUPPORTED[name]).status is Status.UNSUPPORTED


def test_a_network_does_not_belong_here() -> None:
    assert check(encode({**VALID, "network": None})).status is Status.MALFORMED


def test_work_is_limited() -> None:
    angles = [f"{i}/100000" for i in range(4096)]
    text = document(claim={"dim": 10_000}, witness={"angles_high": angles})
    assert check(text).status is Status.EXHAUSTED


@pytest.mark.parametrize("dim", [2, 3, 20, 101])
@pytest.mark.parametrize("factor", [0.05, 1, 3, 9])
def test_moments_of_the_norm(dim: int, factor: float) -> None:
    m = factor * math.sqrt(dim)
    x = np.linspace(0, m + math.sqrt(dim) + 12, 200_001)[1:]
    for value, sign in ((mean_exp_positive, 1), (mean_exp_negative, -1)):
        with precision(128):
            found = value(dim, arb(m)).log()
        exponents = sign * m * x + stats.chi.logpdf(x, dim)
        expected = exponents.max() + math.log(integrate.simpson(np.exp(exponents - exponents.max()), x=x))
        assert found.rad() < 1e-20
        assert float(found) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("a", [fmpq(-5), fmpq(-1, 3), fmpq(0), fmpq(2)])
def test_moments_of_the_absolute_value(a: fmpq) -> None:
    x = np.linspace(0, 20, 200_001)
    expected = 2 * integrate.simpson(np.exp(float(a.p) / float(a.q) * x) * stats.norm.pdf(x), x=x)
    assert float(mean_exp_absolute(a)) == pytest.approx(expected, rel=1e-9)


def test_finer_cells_prove_more_and_coarser_ones_less() -> None:
    high, low = ([fmpq(i * top, 1000 * n) for i in range(n + 1)] for n, top in ((400, 1500), (400, 200)))
    scale, tau, a = fmpq(9, 10), fmpq(7, 10), fmpq(2)
    for bound, angles, level in ((failure_high, high, scale), (failure_low, low, tau)):
        fine, coarse = (bound(5, 50, level, a, tuple(angles[::step])) for step in (1, 8))
        assert 0 < fine < coarse


def test_the_bounds_hold_for_simulated_frames() -> None:
    """Events of moderate probability: the values of max S and min S seen are not rarer than the bounds say."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3000, 3))
    x /= np.linalg.norm(x, axis=1)[:, None]
    highs, lows = [], []
    for _ in range(200):
        rows = np.concatenate([np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(6)])
        values = np.sqrt(3) * np.abs(x @ rows.T).mean(axis=1)
        highs.append(values.max())
        lows.append(values.min())
    angles_high = tuple(fmpq(i, 1000) for i in range(1, 1571))
    for level in (fmpq(95, 100), fmpq(98, 100), fmpq(1)):
        bound = min(float(failure_high(3, 6, level, fmpq(a), angles_high).upper()) for a in (2, 5, 10))
        assert np.mean(np.array(highs) >= float(level.p) / float(level.q)) <= bound + 0.05
    for level in (fmpq(55, 100), fmpq(65, 100), fmpq(75, 100)):
        tau = float(level.p) / float(level.q)
        steps = int(1e4 * math.atan(1 / (2 * tau * math.sqrt(3))))
        angles_low = tuple(fmpq(i, 10_000) for i in range(1, steps, 8))
        bound = min(float(failure_low(3, 6, level, fmpq(a), angles_low).upper()) for a in (2, 8, 40))
        assert np.mean(np.array(lows) <= tau) <= bound + 0.05


def test_few_draws_miss_the_accuracy() -> None:
    """At most an eighth of the draws may; of 100 draws none does by much chance."""
    x = np.random.default_rng(0).standard_normal((2000, 3))
    x /= np.linalg.norm(x, axis=1)[:, None]
    claim = EIGHTH.document["claim"]
    misses = 0
    for seed in range(100):
        again = build_with_seed(claim, seed)
        misses += bool(np.abs(again(x)).max() > 0.3 + 1e-9)
    assert misses <= 100 / 8


def build_with_seed(claim: dict[str, Any], seed: int) -> Any:
    from depthsep.networks.frames import RandomFrames

    return RandomFrames(claim["dim"], claim["frames"], Fraction(claim["eps"]), Fraction(claim["scale"]), seed)


def test_width() -> None:
    assert width(20, 79) == 1581
