"""What the searches for depth-3 networks are built from: samples, tolerances, square layers, tubes for psi."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from depthsep.univariate.outer_tube import Hinges, OuterTube
from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.square_layer import Envelope, SquareLayer
from depthsep.univariate.tolerance import best_tolerance

PROFILES = {
    "cone": lambda r: 1 - r,
    "gauss": lambda r: np.exp(-(r**2)),
    "kink": lambda r: np.abs(r - 0.5),
    "wave": lambda r: np.sin(20 * r),
    "root": np.sqrt,
    "steep": lambda r: np.tanh(50 * (r - 0.7)),
}
IDENTITY = Envelope(np.zeros(1), np.zeros(1), np.ones(1))


# ------------------------------------------------------------------------------------------------------------------
# Samples


@pytest.mark.parametrize("name", PROFILES)
def test_samples_resolve_the_profile(name):
    samples = ProfileSamples.of(PROFILES[name], 1e-3)
    assert samples.radii[0] == 0
    assert samples.radii[-1] == 1
    assert (np.diff(samples.radii) > 0).all()
    assert np.abs(np.diff(samples.values)).max() <= 1e-3
    assert (samples.values == PROFILES[name](samples.radii)).all()


def test_variation():
    assert ProfileSamples.of(PROFILES["kink"], 1e-3).variation == pytest.approx(1.0)
    assert ProfileSamples.of(PROFILES["wave"], 1e-3).variation == pytest.approx(12 + np.sin(20.0), abs=1e-4)


@pytest.mark.parametrize("name", PROFILES)
def test_ranges_against_brute_force(name):
    samples = ProfileSamples.of(PROFILES[name], 1e-2)
    rng = np.random.default_rng(0)
    low, high = np.sort(rng.uniform(0, 1, (2, 200)), axis=0)
    high[:50] = np.minimum(low[:50] + 1e-5, 1.0)  # between two samples
    least, greatest = samples.ranges(low, high)
    for i in range(200):
        inside = samples.values[(samples.radii >= low[i]) & (samples.radii <= high[i])]
        values = np.append(inside, PROFILES[name](np.array([low[i], high[i]])))
        assert least[i] == values.min()
        assert greatest[i] == values.max()


@pytest.mark.parametrize("name", PROFILES)
def test_reach_against_brute_force(name):
    samples = ProfileSamples.of(PROFILES[name], 1e-3)
    first = np.linspace(0, len(samples.radii) - 1, 40).astype(int)
    finite = 0
    for i, reached in zip(first, samples.reach(first, 0.3), strict=True):
        later = samples.radii[i:]
        swings = np.maximum.accumulate(samples.values[i:]) - np.minimum.accumulate(samples.values[i:])
        if np.isfinite(reached):
            finite += 1
            assert swings[later < reached].max(initial=0.0) <= 0.3
            assert swings[later > reached].min() > 0.3
        else:
            assert swings.max() <= 0.3
    assert finite


# ------------------------------------------------------------------------------------------------------------------
# Tolerances


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("dim", [1, 2, 100])
def test_tolerance_is_concave_and_separates_what_it_must(name, dim):
    samples = ProfileSamples.of(PROFILES[name], 1e-3)
    width = 0.1
    tolerance = best_tolerance(samples, dim, width)
    s = np.linspace(0, min(dim, 4), 4001)
    heights = tolerance(s)
    assert (heights >= 0).all()
    assert np.diff(heights).min() >= -1e-12
    assert np.diff(heights, 2).max() <= 1e-9
    first = np.linspace(0, len(samples.radii) - 1, 300).astype(int)
    reach = samples.reach(first, width)
    near, far = (radii[np.isfinite(reach)] ** 2 for radii in (samples.radii[first], reach))
    ratios = (tolerance(near) + tolerance(far)) / (far - near)
    assert ratios.max() <= 1.02  # conditions are set at some radii only
    assert ratios.max() >= 0.98


def test_tolerance_of_the_cone_is_at_least_as_good_as_a_known_one():
    """h = 2 e sqrt(s) separates radii 2e apart; on s > 1 any line continues it. The program finds something better."""
    samples = ProfileSamples.of(PROFILES["cone"], 1e-4)
    e, dim = 0.01, 100
    found = best_tolerance(samples, dim, 2 * e)
    y = np.linspace(0, 1, 100_001)[1:]
    known = np.trapezoid(1 / np.sqrt(4 * e * y), y) + np.sqrt(y[0] / e)
    z = np.linspace(1, np.sqrt(dim), 100_001)
    known += min(np.trapezoid(1 / np.sqrt(4 * e * (1 + mu * (z**2 - 1))), z) for mu in np.linspace(0.1, 0.5, 21))
    assert 0.8 * known <= found.units <= 1.01 * known


# ------------------------------------------------------------------------------------------------------------------
# The first layer


def test_layer_from_paths():
    flat = SquareLayer.from_path(3, np.array([0.0, 0.25, 0.5, 1.0]), np.array([0.1, 0.1, 0.3, 1.0]))
    assert flat.thresholds == (0.25, 0.5)
    assert flat.weights == pytest.approx((0.8, 0.6))
    assert flat.affine_offset is None
    assert flat.width == 12
    bent = SquareLayer.from_path(3, np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.25, 1.0]))
    assert bent.thresholds == (0.0, 0.5)
    assert bent.weights == pytest.approx((0.5, 1.0))
    assert bent.width == 10
    assert bent.affine_offset is not None
    assert Fraction(bent.affine_offset) ** 2 >= Fraction(bent.weights[0]) ** 2 * 3
    assert bent.affine_offset == pytest.approx(0.5 * 3**0.5, rel=1e-15)
    no_flat_part = SquareLayer.from_path(3, np.array([0.0, 0.0, 0.5, 1.0]), np.array([0.1, 0.1, 0.3, 1.0]))
    assert no_flat_part.thresholds == (0.0, 0.5)


@pytest.mark.parametrize("dim", [2, 7])
@pytest.mark.parametrize("start", [0.0, 0.1])
def test_envelopes_contain_q_and_are_reached(dim, start):
    knots = np.array([0.0, start, 0.3, 0.5, 0.7, 1.0][start == 0.0 :])
    layer = SquareLayer.from_path(dim, knots, np.maximum(knots**2, start**2))
    lower, upper = layer.envelopes(*layer.contact_slopes())
    rng = np.random.default_rng(0)
    places = np.concatenate((knots, rng.uniform(0, 1, 6), (knots[1:] + knots[:-1]) / 2))
    rows = [
        [a] * k + [b] * m + [0.0] * (dim - k - m)
        for a, b in itertools.product(places, places)
        for k, m in itertools.product(range(dim + 1), repeat=2)
        if k + m <= dim and k * a * a + m * b * b <= 1
    ]
    x = np.array(rows)
    q = sum(a * np.maximum(x - t, 0).sum(axis=1) for t, a in zip(layer.thresholds, layer.weights, strict=True))
    q = q + (layer.affine_offset or 0.0)
    s = (x**2).sum(axis=1)
    above, below = upper(s) - q, q - lower(s)
    assert above.min() >= -1e-12
    assert below.min() >= -1e-12
    assert above[s > 0.2].min() <= 1e-3
    assert below[s > 0.2].min() <= 1e-12


# ------------------------------------------------------------------------------------------------------------------
# The second layer


def test_hinges_evaluate_as_their_units():
    rng = np.random.default_rng(0)
    z = np.linspace(-1, 2, 301)
    for side, sign in (("right", 1.0), ("left", -1.0)):
        places, weights = rng.uniform(0, 1, 5), rng.normal(size=5)
        hinges = Hinges(0.3, tuple(places), side, tuple(weights))
        direct = 0.3 + sum(w * np.maximum(sign * (z - p), 0) for p, w in zip(places, weights, strict=True))
        assert hinges(z) == pytest.approx(direct, abs=1e-12)
    assert Hinges(0.3, (), "right", ())(z).tolist() == [0.3] * 301


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("eps", [0.1, 0.01])
def test_psi_of_an_exact_square_approximates_the_profile(name, eps):
    samples = ProfileSamples.of(PROFILES[name], eps / 64)
    tube = OuterTube.of(samples, IDENTITY, IDENTITY, eps)
    assert tube.least_eps <= 1e-3 * eps
    psi = tube.fewest_hinges(eps)
    r = np.linspace(0, 1, 10_001)
    error = np.abs(psi(r**2) - PROFILES[name](r)).max()
    assert 0.8 * eps <= error <= 1.001 * eps
    assert error <= tube.error_of(psi) * (1 + 1e-3)
    assert tube.error_of(psi) <= 1.001 * eps


@pytest.mark.parametrize("name", PROFILES)
def test_demands_against_brute_force(name):
    """A tube around s -+ 0.02 sqrt(s) + 0.01, from three lines on each side."""
    starts = np.array([0.0, 0.05, 0.4])
    slopes = 0.01 / np.sqrt(np.array([0.01, 0.2, 0.7]))
    constants = 0.01 + np.array([0.0, *np.cumsum(-np.diff(slopes) * starts[1:])])
    lower, upper = Envelope(starts, -constants, 1 - slopes), Envelope(starts, constants, 1 + slopes)
    samples = ProfileSamples.of(PROFILES[name], 1e-3)
    tube = OuterTube.of(samples, lower, upper, 0.1)
    r = np.linspace(0, 1, 20_001)
    values = PROFILES[name](r)
    z = np.linspace(tube.z[0], tube.z[-1], 203)[1:-1]
    least, greatest = tube.demands(z)
    for i, place in enumerate(z):
        allowed = values[(lower(r**2) <= place) & (place <= upper(r**2))]
        assert least[i] == pytest.approx(allowed.min(), abs=5e-3)
        assert greatest[i] == pytest.approx(allowed.max(), abs=5e-3)
