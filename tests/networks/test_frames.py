"""Random frames as networks: orthonormal, repeatable, evaluated within the stated bounds, and counted."""

import math
from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks import ExplicitDirections, ShallowNetwork
from depthsep.networks.frames import FrameDirections, RandomFrames


def cone(dim: int = 4, frames: int = 3, seed: int = 11) -> RandomFrames:
    return RandomFrames(dim, frames, Fraction(1, 5), Fraction(9, 10), seed)


@pytest.mark.parametrize(("dim", "frames"), [(2, 5), (7, 3), (60, 2)])
def test_frames_are_orthonormal_within_the_proved_bound(dim: int, frames: int) -> None:
    directions = FrameDirections(dim, frames, seed=3)
    for frame in directions.matrix.reshape(frames, dim, dim):
        u, s, v = np.linalg.svd(frame)
        assert np.abs(s - 1).max() <= directions.defect_upper
        assert np.linalg.norm(frame - u @ v, axis=1).max() <= float(directions.defect_upper) + 1e-14
    assert directions.defect_upper < 1e-12
    exact = ExplicitDirections(tuple(map(tuple, directions.matrix.tolist())))
    assert exact.norm_squared <= directions.norm_squared < exact.norm_squared + Fraction(1, 10**13)
    assert exact.total_norm_upper <= directions.total_norm_upper
    for name in ("count", "dim", "largest_entry", "nonzeros", "support"):
        assert getattr(directions, name) == getattr(exact, name)
    assert abs(directions.projection_error - exact.projection_error) < Fraction(1, 10**25)
    assert directions.to_json() == exact.to_json()
    assert directions.explicit() == exact


def test_a_seed_names_a_draw() -> None:
    first, again, other = (FrameDirections(5, 4, seed).matrix for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert np.array_equal(FrameDirections(5, 2, 1).matrix, first[:10])
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1.0


def test_the_law_is_invariant_under_signs_and_exchanges() -> None:
    """Without the positive diagonal of R the entry in the corner would not be symmetric."""
    matrices = FrameDirections(3, 4000, seed=0).matrix.reshape(-1, 3, 3)
    assert np.abs(matrices.mean(axis=0)).max() < 0.04
    assert np.abs((matrices**2).mean(axis=0) - 1 / 3).max() < 0.03
    assert abs((np.linalg.det(matrices) > 0).mean() - 0.5) < 0.05


def test_the_values_are_those_of_the_definition() -> None:
    network = cone()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 4))
    x /= 1.0001 * np.linalg.norm(x, axis=1)[:, None]
    sums = np.abs(x @ network.directions.matrix.T).sum(axis=1)
    expected = 0.8 - sums / (3 * math.sqrt(4) * 0.9)
    evaluation = network.evaluate(x)
    assert np.abs(evaluation.values - expected).max() < 1e-13
    assert 0 < network.ideal_distance_upper < Fraction(1, 10**12)
    point = [Fraction(entry) for entry in x[0].tolist()]
    exact = network.evaluate_exact(point)
    assert abs(Fraction(float(evaluation.values[0])) - exact) <= evaluation.rounding_error_upper
    hidden, output = network.dense_layers()
    flat = np.maximum(x @ hidden[0].T + hidden[1], 0) @ output[0].T + output[1]
    assert np.abs(flat[:, 0] - expected).max() <= network.flat_rounding_error_upper + Fraction(1, 10**12)


def test_distance_from_ideal_frames() -> None:
    """Against the polar factors, which are such frames, at many points."""
    network = cone(6, 5)
    ideal = np.concatenate([u @ v for u, _, v in map(np.linalg.svd, network.directions.matrix.reshape(5, 6, 6))])
    x = np.random.default_rng(1).standard_normal((200, 6))
    x /= 1.0001 * np.linalg.norm(x, axis=1)[:, None]
    sums = np.abs(x @ ideal.T).sum(axis=1)
    expected = 0.8 - sums / (5 * math.sqrt(6) * 0.9)
    allowed = network.ideal_distance_upper + network.rounding_error_upper
    assert np.abs(network(x) - expected).max() <= float(allowed) + 1e-14


def test_counts() -> None:
    network = cone()
    assert network.widths == (13,)
    assert (network.depth, network.parameters) == (2, 5 * 13 + 14)
    assert isinstance(network.drawn, ShallowNetwork)
    assert network.drawn.widths == network.widths
    (weights, biases), (outer, bias) = network.dense_layers()
    entries = np.concatenate([part.ravel() for part in (weights, biases, outer, bias)])
    assert network.nonzeros == np.count_nonzero(entries)
    assert network.max_weight == np.abs(entries).max()
    lengths = np.linalg.norm(weights, axis=1)
    assert np.abs(outer[0]) @ lengths <= network.path_norm * (1 + 1e-12)
    restored = ShallowNetwork.from_json(network.to_json())
    assert np.array_equal(restored([[0.1, 0.2, 0.3, 0.4]]), network([[0.1, 0.2, 0.3, 0.4]]))


def test_nothing_is_drawn_for_counting() -> None:
    huge = RandomFrames(10_000, 10**6, Fraction(1, 5), Fraction(9, 10), 0)
    assert huge.widths == (10**10 + 1,)
    with pytest.raises(OutOfReach) as caught:
        huge([[0.0] * 10_000])
    assert str(caught.value) == (
        "draw 1000000 frames of dimension 10000\n"
        "  found:  they take 800000000000000 bytes\n"
        "  needed: at most 1073741824 bytes\n"
        "  do:     a larger eps needs fewer frames; the document is about their law and needs no draw"
    )


@pytest.mark.parametrize(("dim", "frames", "seed"), [(1, 1, 0), (2, 0, 0), (2, 1, -1), (2, 1, 2**64)])
def test_frames_that_make_no_sense(dim: int, frames: int, seed: int) -> None:
    with pytest.raises(BadInput, match="dim >= 2, at least one frame, and a seed from 0 to"):
        FrameDirections(dim, frames, seed)


@pytest.mark.parametrize(("eps", "scale"), [("1/2", "1"), ("0", "1"), ("1/5", "0")])
def test_numbers_of_a_network_that_make_no_sense(eps: str, scale: str) -> None:
    with pytest.raises(BadInput, match="a positive scale and 0 < eps < 1/2"):
        RandomFrames(3, 2, Fraction(eps), Fraction(scale), 0)
