"""Networks of many depths by folding: widths to reach, attacks, refusals; and the parts they are made of."""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np
import pytest

from depthsep.certificates import CertifiedNetwork
from depthsep.constructions import folding
from depthsep.constructions.phase_profile import largest_slack, profiles_by_slack, shortest_profile
from depthsep.constructions.phase_target import PhaseTarget
from depthsep.constructions.scaled_squares import narrowest_factors, narrowest_folds
from depthsep.constructions.square_stage import SquareKnots, fewest_knots, fold_product
from depthsep.errors import BadInput
from depthsep.functions import InnerProduct, Radial
from depthsep_check import check


@functools.cache
def found(text: str, dim: int, eps: str, depth: int, domain: str = "sphere-pairs") -> CertifiedNetwork:
    function = Radial(text, dim) if domain == "unit-ball" else InnerProduct(text, dim, domain)
    return folding.search(function, Fraction(eps), depth)


def points_of(domain: str, dim: int, count: int = 20_000) -> np.ndarray:
    """Points of a domain: all radii for the ball, all directions for pairs."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(count, 2, dim))
    x[: count // 2, 1] = x[: count // 2, 0] * rng.choice([-1, 1], (count // 2, 1)) + 0.5 * x[: count // 2, 1]
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    if domain == "unit-ball":
        return x[:, 0] * rng.random((count, 1)) * (1 - 1e-12)
    if domain == "ball-pairs":
        x *= rng.random((count, 2, 1)) ** (1 / dim) * (1 - 1e-12)
    return x.reshape(count, 2 * dim)


@pytest.mark.parametrize(("depth", "largest"), [(4, 4100), (6, 380), (8, 95), (15, 35)])
def test_the_numbers_to_reach(depth: int, largest: int) -> None:
    network = found("sin(pi*d^3*t)", 10, "0.1", depth)
    assert max(network.widths) <= largest
    assert network.depth == depth == len(network.widths) + 1
    assert network.sup_error_upper <= Fraction(1, 10)
    assert check(network.document_text).ok


@pytest.mark.parametrize("depth", [3, 4, 5, 9])
@pytest.mark.parametrize(
    ("text", "domain", "eps"),
    [
        ("sin(2*pi*d^3*r^2)", "unit-ball", "0.1"),
        ("1 - r", "unit-ball", "0.05"),
        ("sin(pi*d^3*t)", "sphere-pairs", "0.1"),
        ("abs(t)", "sphere-pairs", "0.05"),
        ("cos(30*t)", "ball-pairs", "0.1"),
        ("exp(t)", "ball-pairs", "0.05"),
    ],
)
def test_attacks_never_exceed_the_proved_error(text: str, domain: str, eps: str, depth: int) -> None:
    network = found(text, 3, eps, depth, domain)
    points = points_of(domain, 3)
    worst = float(np.abs(network(points) - network.function(points)).max())
    assert len(network.widths) == depth - 1
    assert network.sup_error_upper / 3 < worst <= network.sup_error_upper <= Fraction(eps)


def test_deeper_is_narrower() -> None:
    widths = [max(found("sin(pi*d^3*t)", 10, "0.1", depth).widths) for depth in (3, 4, 6, 8, 15)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 100 * widths[-1]


@pytest.mark.parametrize("depth", [2, 65])
def test_depths_that_are_not_served(depth: int) -> None:
    with pytest.raises(BadInput) as refusal:
        folding.search(Radial("1 - r", 3), Fraction(1, 10), depth)
    assert str(refusal.value) == f"a depth-{depth} network by folding\n  needed: a depth from 3 to 64"


# ----------------------------------------------------------------------------------------------------------------
# Parts


@pytest.mark.parametrize("repeated", [True, False])
@pytest.mark.parametrize("error", [0.3, 0.1, 0.01])
def test_profiles_keep_their_error_for_their_slack(error: float, repeated: bool) -> None:
    found = profiles_by_slack(error, repeated)
    assert [profile.hinges for profile in found] == sorted({profile.hinges for profile in found})
    assert [profile.slack for profile in found] == sorted(profile.slack for profile in found)
    for profile in found:
        assert 0.99 * error < profile.measured_error() < 1.001 * error
        assert 0 < profile.slack < largest_slack(error)
        assert all(0 < a < b < 1 for a, b in zip(profile.thresholds, profile.thresholds[1:], strict=False))
        if repeated:
            assert sum(map(Fraction, profile.weights)) == 0
            assert sum(map(Fraction, profile.scaled(2.0, -math.pi)[1])) == 0


def test_a_scaled_profile_is_the_profile_times_the_amplitude() -> None:
    profile = shortest_profile(0.01, 0.05, repeated=True)
    bias, weights = profile.scaled(2.0, -3.0)
    w = np.linspace(0, 1, 101)
    values = bias + np.maximum(w[:, None] - np.array(profile.thresholds), 0) @ np.array(weights)
    np.testing.assert_allclose(values, 2 - 3 * profile(w), atol=1e-8)


@pytest.mark.parametrize(("tolerance", "count"), [(1e-2, 5), (1e-4, 10), (1e-3, 100), (3.0, 2)])
def test_knots_stay_in_their_tube(tolerance: float, count: int) -> None:
    knots = fewest_knots(tolerance, count)
    assert isinstance(knots, SquareKnots)
    assert count * knots.height + knots.slope <= tolerance * (1 + 1e-12)
    t = np.unique(np.concatenate((np.linspace(0, 1, 100_001), knots.thresholds)))
    rises = np.zeros_like(t)
    for place, weight in zip(knots.thresholds, knots.weights, strict=True):
        rises = rises + weight * np.maximum(t - place, 0)
    off = np.abs(rises + knots.height - t**2) - knots.height - knots.slope * t**2
    assert -1e-6 < off.max() < 1e-12


def test_tolerances_too_fine_for_a_document() -> None:
    assert fewest_knots(1e-12, 100) is None


@pytest.mark.parametrize(("tolerance", "dim", "layers"), [(1e-3, 10, 1), (1e-5, 10, 3), (1e-9, 100, 6)])
def test_radices_are_enough_and_not_too_many(tolerance: float, dim: int, layers: int) -> None:
    radices = narrowest_folds(tolerance, "norm", dim, layers)
    assert radices is not None
    assert len(radices) == layers
    assert math.prod(radices) >= fold_product(tolerance, dim)
    widths = [2 * radices[0] * dim, *(radix * dim + 1 for radix in radices[1:])]
    fewer = [max(1, (max(widths) - 1) // (2 * dim)), *((max(widths) - 2) // dim for _ in radices[1:])]
    assert math.prod(fewer) < fold_product(tolerance * (1 - 2.0**-10), dim) or min(fewer[1:], default=2) < 2


def test_factors_of_astronomical_width_are_given_up() -> None:
    assert narrowest_factors(2**70, (1,), lambda width: (width,)) is None
    assert narrowest_factors(1, (2, 2), lambda width: (width, width)) == (2, 2)


@pytest.mark.parametrize(
    ("function", "rate", "least"),
    [
        (InnerProduct("sin(pi*d^3*t)", 5), 250, -1),
        (InnerProduct("2*cos(pi*t + 1)", 5, "ball-pairs"), 1, -1),
        (Radial("3 + cos(2*pi*r^2)", 5), 2, 0),
    ],
)
def test_phases(function: InnerProduct | Radial, rate: float, least: float) -> None:
    target = PhaseTarget.of(function, Fraction(1, 10))
    assert target is not None
    assert target.rate == rate
    for slack in (0.02, 0.4):
        start = float(target.start(slack))
        assert slack < start < 1.41
        assert start + target.span + slack <= target.length(slack) < start + target.span + 1.5
        value = target.mean + target.signed_amplitude(slack) * math.cos(math.pi * start)
        assert value == pytest.approx(float(function.profile([least])[0]), abs=1e-12)


@pytest.mark.parametrize("text", ["t", "abs(sin(t))", "sin(t) + sin(2*t)", "0*sin(t)"])
def test_no_phases(text: str) -> None:
    assert PhaseTarget.of(InnerProduct(text, 3), Fraction(1, 10)) is None


def test_points_beyond_the_claimed_slack_are_outside() -> None:
    wave = InnerProduct("sin(pi*2^26*t)", 2)
    certified = folding.search(wave, Fraction(1, 10), 16)
    slack = Fraction(certified.document["claim"]["norm_slack"])
    assert slack < Fraction(1, 2**40)
    x = [[1.0, 0.0, 0.0, 1.0], [1.0 + 2.0**-44, 0.0, 0.0, 1.0], [1.0 + 2.0**-39, 0.0, 0.0, 1.0]]
    assert certified.evaluate(x).outside_ball.tolist() == [False, True, True]
    assert certified.network.evaluate(x).outside_ball.tolist() == [False, False, True]
