"""Random directions as networks: unit vectors, repeatable, evaluated within the stated bounds, and counted."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.sphere import EvenProfile, RandomRidges, SphereDirections

KINKED = EvenProfile(Fraction(1, 3), (Fraction(0), Fraction(1, 3)), (Fraction(-2, 7), Fraction(5, 7)))
FLAT = EvenProfile(Fraction(1, 3), (Fraction(1, 10), Fraction(1, 3)), (Fraction(2, 7), Fraction(-2, 7)))


def test_unit_vectors() -> None:
    directions = SphereDirections(6, 500, seed=2)
    lengths = np.linalg.norm(directions.matrix, axis=1)
    assert np.abs(lengths - 1).max() <= directions.defect_upper < Fraction(1, 10**14)
    assert abs(directions.norm_squared - 1) < Fraction(1, 10**14)
    assert np.abs(directions.matrix.T @ directions.matrix / 500 - np.eye(6) / 6).max() < 0.05
    assert np.array_equal(SphereDirections(6, 500, seed=2).matrix, directions.matrix)
    assert np.array_equal(SphereDirections(6, 20, seed=2).matrix, directions.matrix[:20])
    assert not np.allclose(SphereDirections(6, 500, seed=3).matrix, directions.matrix)


@pytest.mark.parametrize("profile", [KINKED, FLAT])
def test_the_values_are_those_of_the_definition(profile: EvenProfile) -> None:
    network = RandomRidges(4, 60, profile, seed=5)
    x = np.random.default_rng(0).standard_normal((40, 4))
    x /= 1.0001 * np.linalg.norm(x, axis=1)[:, None]
    rows = network.directions.matrix
    z = np.abs(x @ (rows / np.linalg.norm(rows, axis=1)[:, None]).T)
    ramps = [float(w) * np.maximum(0, z - float(t)) for t, w in zip(profile.thresholds, profile.weights, strict=True)]
    expected = 1 / 3 + sum(ramps).mean(axis=1)
    evaluation = network.evaluate(x)
    allowed = float(network.ideal_distance_upper + evaluation.rounding_error_upper) + 1e-15
    assert np.abs(evaluation.values - expected).max() <= allowed < 1e-12
    exact = network.evaluate_exact([Fraction(entry) for entry in x[0].tolist()])
    assert abs(Fraction(float(evaluation.values[0])) - exact) <= evaluation.rounding_error_upper
    hidden, _ = network.dense_layers()
    assert network.widths == (len(hidden[1]),) == (60 * profile.units + profile.has_kink_at_zero,)


def test_profiles() -> None:
    assert (KINKED.units, KINKED.has_kink_at_zero, KINKED.steepest) == (3, True, Fraction(3, 7))
    assert (FLAT.units, FLAT.has_kink_at_zero, FLAT.steepest) == (4, False, Fraction(2, 7))


def test_what_makes_no_sense_and_what_is_too_large() -> None:
    for dim, count, seed in ((1, 1, 0), (2, 0, 0), (2, 1, -1), (2, 1, 2**64)):
        with pytest.raises(BadInput, match="dim >= 2, at least one direction, and a seed from 0 to"):
            RandomRidges(dim, count, FLAT, seed)
    huge = RandomRidges(1000, 10**9, FLAT, 0)
    assert huge.widths == (4 * 10**9,)
    with pytest.raises(OutOfReach, match="they take 8000000000000 bytes"):
        huge([[0.0] * 1000])
