"""Depth-3 networks for radial functions: their sizes, their proofs, and attacks that come close to the proved error."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from fractions import Fraction

import numpy as np
import pytest

from depthsep.certificates import CertifiedNetwork
from depthsep.certificates.document import rounded_up
from depthsep.constructions import deep_radial
from depthsep.errors import OutOfReach
from depthsep.functions.radial import Radial
from depthsep_check import check
from depthsep_check.document import encode


@functools.cache
def first_candidate(expression: str, dim: int, eps: str) -> CertifiedNetwork:
    return deep_radial.search(Radial(expression, dim), Fraction(eps))


def document(expression: str, candidate: CertifiedNetwork) -> dict:
    dim = candidate.network.dim
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": expression},
        "claim": {
            "kind": "sup-error",
            "dim": dim,
            "domain": "unit-ball",
            "arithmetic": "real",
            "error": str(candidate.sup_error_upper),
        },
        "network": candidate.network.to_json(),
        "witness": candidate.document["witness"],
    }


def contact_points(candidate: CertifiedNetwork) -> np.ndarray:
    """Places of a coordinate where the supporting lines touch: the knots, and vertices of the pieces between."""
    network = candidate.network
    thresholds, weights = np.array(network.thresholds), np.array(network.weights)
    pieces = np.cumsum(weights)
    slopes = np.array([float.fromhex(slope) for slope in candidate.document["witness"]["upper_slopes"]])
    vertices = (pieces[:, None] / (2 * (1 + slopes))).ravel()
    index = np.searchsorted(thresholds, vertices, side="right") - 1
    touching = vertices[index == np.repeat(np.arange(len(pieces)), len(slopes))]
    points = np.unique(np.concatenate((thresholds, touching, [1.0])))
    return points[(points > 0) & (points <= 1)]


def sparse_points(candidate: CertifiedNetwork, limit: int = 40_000) -> np.ndarray:
    """Points with k coordinates a and m coordinates b, a and b contact points, the others 0, inside the ball."""
    dim = candidate.network.dim
    places = contact_points(candidate)
    rng = np.random.default_rng(0)
    counts = np.unique(np.concatenate(([0, 1, 2, 3], np.linspace(0, dim, 40).astype(int))))
    counts = counts[counts <= dim]
    rows = []
    for k, m in itertools.product(counts, counts):
        if k + m <= dim:
            a, b = np.meshgrid(places, places)
            fits = k * a**2 + m * b**2 <= 1 - 1e-12
            rows += [(k, m, x, y) for x, y in zip(a[fits], b[fits], strict=True)]
    # Also the sphere itself: the last coordinates made as large as the ball allows.
    for k, a in itertools.product(counts, places):
        rest = 1 - k * a**2
        if k < dim and rest > 0:
            rows += [(k, m, a, np.sqrt(rest / m) * (1 - 1e-12)) for m in counts if 0 < m <= dim - k]
    chosen = rows if len(rows) <= limit else [rows[i] for i in rng.choice(len(rows), limit, replace=False)]
    return np.array(chosen)


def attack(expression: str, candidate: CertifiedNetwork) -> float:
    """The largest error found at sparse points, diagonals, axes and random points; rounding is subtracted."""
    network = candidate.network
    dim = network.dim
    function = Radial(expression, dim)
    rng = np.random.default_rng(1)
    worst = 0.0
    directions = [np.ones(dim) / np.sqrt(dim), np.eye(dim)[0], *rng.normal(size=(20, dim))]
    rays = np.concatenate([np.linspace(0, 1, 301)[:, None] * v / np.linalg.norm(v) for v in directions])
    sparse = sparse_points(candidate, limit=min(40_000, 10**7 // dim))
    order = np.arange(dim)
    for start in range(0, len(sparse), 4000):
        k, m, a, b = sparse[start : start + 4000].T[:, :, None]
        x = np.where(order < k, a, np.where(order < k + m, b, 0.0))
        worst = max(worst, float(np.abs(network(x) - function(x)).max()))
    worst = max(worst, float(np.abs(network(rays * (1 - 1e-15)) - function(rays)).max()))
    return worst - float(network.rounding_error_upper) - 1e-12


# The sizes that the notes reached, w1 and w2.
TARGETS = [
    ("1 - r", 2, "0.1", 8, 2),
    ("1 - r", 10, "0.1", 60, 2),
    ("1 - r", 100, "0.1", 800, 2),
    ("1 - r", 10, "0.01", 160, 12),
    ("1 - r", 100, "0.01", 2420, 12),
    ("1 - r", 1000, "0.01", 30_100, 12),
    ("1 - r", 100, "0.001", 7450, 55),
    ("abs(r - 1/2)", 10, "0.1", 60, 3),
    ("abs(r - 1/2)", 100, "0.01", 2420, 12),
    ("exp(-r^2)", 100, "0.01", 1800, 8),
]


@pytest.mark.parametrize(("expression", "dim", "eps", "first", "second"), TARGETS)
def test_sizes_and_proofs(expression, dim, eps, first, second):
    candidate = first_candidate(expression, dim, eps)
    assert sum(candidate.network.widths) <= first + second
    assert candidate.network.widths[0] >= dim  # the rank bound, for every network that is not constant
    assert candidate.sup_error_upper <= Fraction(eps)
    verdict = check(encode(document(expression, candidate)))
    assert verdict.ok, verdict.line
    assert f"widths ({candidate.network.widths[0]}, {candidate.network.widths[1]})" in verdict.text


# How close to the proved error the attack must come; in few dimensions the concave envelope is not quite reached.
ATTACKED = [
    ("1 - r", 2, "0.1", 0.85),
    ("1 - r", 10, "0.1", 0.9),
    ("1 - r", 10, "0.01", 0.9),
    ("1 - r", 100, "0.1", 0.9),
    ("1 - r", 100, "0.01", 0.9),
    ("abs(r - 1/2)", 10, "0.1", 0.9),
    ("abs(r - 1/2)", 100, "0.01", 0.9),
    ("exp(-r^2)", 100, "0.01", 0.9),
    ("sqrt(r)", 10, "0.05", 0.9),
    ("sin(20*r)", 10, "0.1", 0.9),
]


@pytest.mark.parametrize(("expression", "dim", "eps", "share"), ATTACKED)
def test_attacks_stay_below_the_proved_error_and_come_close(expression, dim, eps, share):
    candidate = first_candidate(expression, dim, eps)
    worst = attack(expression, candidate)
    assert worst <= candidate.sup_error_upper
    assert worst >= share * candidate.sup_error_upper


@pytest.mark.parametrize(
    ("expression", "dim", "eps"),
    [
        ("r", 1, "0.01"),
        ("1 - r", 1, "0.3"),
        ("sqrt(r)", 3, "0.05"),
        ("sqrt(1 - r^2)", 2, "0.1"),
        ("sin(20*r)", 2, "0.1"),
        ("tanh(50*(r - 0.7))", 5, "0.1"),
        ("r^20", 5, "0.05"),
        ("min(1, max(0, 3 - 4*r))", 4, "0.05"),
        ("100 - 100*r", 10, "10"),
        ("(1 - r)/1000", 10, "0.0001"),
        ("log(1 + 10*r)", 20, "0.05"),
        ("abs(r - 1/3)*d", 3, "0.1"),
        ("1 - r", 10_000, "0.1"),
    ],
)
def test_other_profiles(expression, dim, eps):
    candidate = first_candidate(expression, dim, eps)
    assert candidate.sup_error_upper <= Fraction(eps)
    assert check(encode(document(expression, candidate))).ok
    worst = attack(expression, candidate) if dim <= 100 else 0.5 * candidate.sup_error_upper
    assert 0.4 * candidate.sup_error_upper <= worst <= candidate.sup_error_upper


def test_a_smaller_claim_is_refuted():
    candidate = first_candidate("1 - r", 10, "0.1")
    smaller = dataclasses.replace(candidate, sup_error_upper=candidate.sup_error_upper * Fraction(99, 100))
    assert check(encode(document("1 - r", smaller))).line.startswith("REFUTED ")


@pytest.mark.parametrize(
    ("expression", "eps", "bias", "error"),
    [("1/3", "0.1", 1 / 3, 1e-15), ("exp(0*r)", "0.1", 1.0, 1e-15), ("abs(r - 1/2)/4", "0.1", 1 / 16, 0.0627)],
)
def test_functions_that_a_constant_approximates(expression, eps, bias, error):
    candidate = first_candidate(expression, 10, eps)
    assert candidate.network.widths == (0, 0)
    assert candidate.network.bias == pytest.approx(bias)
    assert candidate.sup_error_upper <= Fraction(error)


def test_progress_is_told():
    told: list[str] = []
    deep_radial.search(Radial("1 - r", 10), Fraction(1, 10), lambda text, _: told.append(text))
    assert told[0] == "trying 4 units per coordinate"
    assert told[-1] == "proving 40 + 2 neurons"


def test_constant_that_only_just_suffices():
    """The error of 1/2 is exactly 1/2, too tight for a proof by balls perhaps; a network with units then steps in."""
    candidate = first_candidate("1 - r", 3, "0.5")
    assert candidate.sup_error_upper <= Fraction(1, 2)
    assert sum(candidate.network.widths) <= 6


@pytest.mark.parametrize(
    ("expression", "eps", "found"), [("1 - r", "1/1000000000000000000", "1e+18"), ("sin(1000*r)", "1/100", "6.37e+04")]
)
def test_accuracies_out_of_reach(expression, eps, found):
    with pytest.raises(OutOfReach) as caught:
        first_candidate(expression, 10, eps)
    assert str(caught.value) == (
        f'a depth-3 network for "{expression}" in dimension 10 with error {eps}\n'
        f"  found:  the profile varies by {found} times the error on its way from 0 to 1\n"
        "  needed: at most 32768 times, for a search in float64\n"
        "  do:     ask for a larger eps"
    )


def test_no_proof_closes(monkeypatch):
    monkeypatch.setattr(deep_radial, "first_proved", lambda *_: None)
    with pytest.raises(OutOfReach) as caught:
        deep_radial.search(Radial("1 - r", 10), Fraction(1, 10))
    assert str(caught.value) == (
        'a depth-3 network for "1 - r" in dimension 10 with error 1/10\n'
        "  found:  no proof for any of 1 networks\n"
        "  do:     ask for a larger eps"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0123456, Fraction(12350, 10**6)), (0.1, Fraction(1001, 10**4)), (1.0, Fraction(1)), (0.0, Fraction(1, 10**15))],
)
def test_claims_are_rounded_up(value, expected):
    rounded = rounded_up(value)
    assert rounded == expected
    assert rounded >= Fraction(value)
