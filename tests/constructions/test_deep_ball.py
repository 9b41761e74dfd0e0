"""Depth-3 networks that are exact off the margin of a ball."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from depthsep.certificates import CertifiedNetwork
from depthsep.constructions import deep_ball
from depthsep.errors import NotProved
from depthsep.functions import BallIndicator
from depthsep_check import check
from depthsep_check.document import encode

HALF = Fraction(1, 2)

# Totals of the notes for radius 1/2.
TARGETS = {
    "1/20": {2: 6, 5: 18, 10: 42, 20: 82, 50: 253, 100: 602, 1000: 8002},
    "1/100": {2: 13, 5: 38, 10: 93, 20: 223, 50: 653, 100: 1402, 1000: 19_003},
    "1/1000": {2: 34, 5: 122, 10: 293, 20: 682, 50: 2053, 100: 4503, 1000: 60_002},
}


def ball_network(radius: Fraction, margin: Fraction, dim: int) -> CertifiedNetwork:
    return deep_ball.search(BallIndicator(radius, margin, dim))


def document(radius: Fraction, margin: Fraction, candidate: CertifiedNetwork, error: str = "0") -> dict:
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "ball-indicator", "radius": str(radius), "margin": str(margin)},
        "claim": {
            "kind": "sup-error",
            "dim": candidate.network.dim,
            "domain": "unit-ball",
            "arithmetic": "real",
            "error": error,
        },
        "network": candidate.network.to_json(),
        "witness": candidate.document["witness"],
    }


@pytest.mark.parametrize(("margin", "dim"), [(m, d) for m, sizes in TARGETS.items() for d in sizes])
def test_sizes_and_proofs(margin, dim):
    candidate = ball_network(HALF, Fraction(margin), dim)
    assert candidate.sup_error_upper == 0
    assert candidate.network.widths[1] == 2
    assert dim <= candidate.network.widths[0] <= TARGETS[margin][dim] - 2
    assert check(encode(document(HALF, Fraction(margin), candidate))).ok


@pytest.mark.parametrize(
    ("radius", "margin", "dim"),
    [("1/2", "1/2000000", 3), ("9/10", "1/10", 7), ("1/1000", "1/2000", 4), ("1/3", "33/100", 5), ("1/7", "1/70", 1)],
)
def test_other_balls(radius, margin, dim):
    candidate = ball_network(Fraction(radius), Fraction(margin), dim)
    assert check(encode(document(Fraction(radius), Fraction(margin), candidate))).ok


def exact_points(dim: int, places: list[Fraction], squared: tuple[Fraction, Fraction]) -> list[list[Fraction]]:
    """Points with k coordinates a and m coordinates b, the others 0, with squared norm in an interval."""
    points = []
    for k, m in itertools.product(range(dim + 1), repeat=2):
        for a, b in itertools.combinations_with_replacement(places, 2):
            if k + m <= dim and squared[0] <= k * a * a + m * b * b <= squared[1]:
                points.append([a] * k + [-b] * m + [Fraction(0)] * (dim - k - m))
    return points


@pytest.mark.parametrize("dim", [2, 5, 10])
def test_exact_attack(dim):
    """Values off the margin are exactly 1 and 0, in exact arithmetic; just inside the margin they are not."""
    margin = Fraction(1, 20)
    candidate = ball_network(HALF, margin, dim)
    inner, outer = (HALF - margin) ** 2, (HALF + margin) ** 2
    rng = np.random.default_rng(0)
    thresholds = [Fraction(t) for t in candidate.network.thresholds]
    places = sorted({*thresholds, *(Fraction(int(n), 1000) for n in rng.integers(1, 1000, 6)), Fraction(1, 3)})
    inside = exact_points(dim, places, (Fraction(0), inner))
    outside = exact_points(dim, places, (outer, Fraction(1)))
    assert len(inside) > 20
    assert len(outside) > 10
    rng.shuffle(inside)
    rng.shuffle(outside)
    assert {candidate.network.evaluate_exact(x) for x in inside[:150]} == {1}
    assert {candidate.network.evaluate_exact(x) for x in outside[:150]} == {0}
    between = [[Fraction(450 + i, 1000)] + [Fraction(0)] * (dim - 1) for i in range(1, 100)]
    assert any(candidate.network.evaluate_exact(x) not in (0, 1) for x in between)


def test_spheres_themselves_come_close_to_the_ramp():
    """The ramp fills the gap that the proof leaves, up to a factor: on the sphere between both values are seen."""
    candidate = ball_network(HALF, Fraction(1, 20), 10)
    network = candidate.network
    start, end = network.second_thresholds
    assert network.second_weights == (-1 / (end - start), 1 / (end - start))
    x = np.random.default_rng(0).normal(size=(20_000, 10))
    x /= np.linalg.norm(x, axis=1)[:, None]
    inside, outside = network(0.45 * (1 - 1e-12) * x), network(0.55 * (1 + 1e-12) * x)
    assert np.abs(inside - 1).max() <= float(network.rounding_error_upper)
    assert np.abs(outside).max() <= float(network.rounding_error_upper)
    shell = network(0.5 * x)
    assert shell.min() < 0.9
    assert shell.max() > 0.1


def test_a_thinner_margin_is_refuted():
    candidate = ball_network(HALF, Fraction(1, 20), 10)
    assert check(encode(document(HALF, Fraction(1, 40), candidate))).line.startswith("REFUTED ")
    assert check(encode(document(HALF, Fraction(1, 20), candidate, "1/100"))).ok


def test_too_thin_a_shell():
    with pytest.raises(NotProved) as caught:
        ball_network(HALF, Fraction(1, 10**18), 2)
    assert str(caught.value) == (
        "a depth-3 network for ball(1/2, 1/1000000000000000000) in dimension 2\n"
        "  found:  weights rounded to float64 do not tell the two spheres apart\n"
        "  needed: a largest q inside below the least q outside (Lemma 5)\n"
        "  do:     ask for a larger margin"
    )


def test_progress_is_told():
    told: list[str] = []
    deep_ball.search(BallIndicator(HALF, Fraction(1, 20), 10), lambda text, _: told.append(text))
    assert told == ["searching the first layer", "proving 40 + 2 neurons"]
