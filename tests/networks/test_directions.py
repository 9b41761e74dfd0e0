"""Direction sets: counts, canonical order, projections against exact products, and the facts read off the structure."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import depthsep.networks.directions as module
from depthsep.errors import BadInput
from depthsep.networks import CodeCube, Directions, ExplicitDirections, Orbit
from depthsep.networks.directions import directions_from_json

SETS = [
    Orbit((1,), 1),
    Orbit((1,), 4),
    Orbit((3,), 3),
    Orbit((1, 1), 5),
    Orbit((2, 1), 3),
    Orbit((1, 1, 1), 3),
    Orbit((3, 2, 1), 4),
    Orbit((2, 1, 1), 5),
    CodeCube(0, (0, 0)),
    CodeCube(3, (1, 2, 4, 7)),
    CodeCube(4, (1, 2, 3, 0, 9, 9)),
    ExplicitDirections(((1.0, 0.0), (0.3, -0.7), (0.0, 0.0))),
    ExplicitDirections(((0.1, 0.2, -0.3),)),
]


def matrix(directions: Directions, rows: int = 2**14) -> np.ndarray:
    return np.concatenate(list(directions.matrix_blocks(rows)))


@pytest.mark.parametrize("directions", SETS, ids=str)
def test_facts_agree_with_the_expanded_vectors(directions: Directions) -> None:
    vectors = matrix(directions)
    exact = [[Fraction(entry) for entry in row] for row in vectors.tolist()]
    assert vectors.shape == (directions.count, directions.dim)
    assert directions.norm_squared == max(sum(e * e for e in row) for row in exact)
    assert directions.nonzeros == np.count_nonzero(vectors)
    assert directions.support == np.count_nonzero(vectors, axis=1).max()
    assert directions.largest_entry == np.abs(vectors).max()
    norms = np.linalg.norm(vectors, axis=1).sum()
    assert norms * (1 - 1e-12) <= directions.total_norm_upper <= norms * (1 + 1e-12)


@pytest.mark.parametrize("directions", SETS, ids=str)
def test_json_round_trip(directions: Directions) -> None:
    assert directions_from_json(directions.to_json(), directions.dim) == directions


@pytest.mark.parametrize("rows", [1, 3, 7])
@pytest.mark.parametrize("directions", SETS, ids=str)
def test_small_blocks_list_the_same_vectors_in_the_same_order(directions: Directions, rows: int) -> None:
    blocks = list(directions.matrix_blocks(rows))
    assert max(map(len, blocks)) <= rows
    assert np.array_equal(np.concatenate(blocks), matrix(directions))


@pytest.mark.parametrize("block", [2, 2**14])
@pytest.mark.parametrize("directions", SETS, ids=str)
def test_projections_are_within_the_proved_error(
    directions: Directions, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    rng = np.random.default_rng(5)
    points = rng.normal(size=(6, directions.dim))
    points /= 1.0001 * np.linalg.norm(points, axis=1, keepdims=True)
    blocks = list(directions.blocks(points))
    assert all(z.shape[1] <= directions.largest_block for z in blocks)
    assert len(blocks) <= directions.block_count
    computed = np.concatenate(blocks, axis=1)
    vectors = matrix(directions).tolist()
    for point, row in zip(points.tolist(), computed.tolist(), strict=True):
        for vector, z in zip(vectors, row, strict=True):
            exact = sum(Fraction(a) * Fraction(b) for a, b in zip(vector, point, strict=True))
            assert abs(Fraction(z) - exact) <= directions.projection_error


def test_an_orbit_is_the_set_of_its_definition() -> None:
    vectors = {tuple(row) for row in matrix(Orbit((2, 1, 1), 4)).tolist()}
    expected = {
        tuple(s * e for s, e in zip(signs, places, strict=True))
        for places in itertools.permutations((2, 1, 1, 0))
        for signs in itertools.product((1, -1), repeat=4)
    }
    assert vectors | {tuple(-e for e in vector) for vector in vectors} == {tuple(map(float, v)) for v in expected}
    assert all(next(e for e in vector if e) > 0 for vector in vectors)
    assert len(vectors) == Orbit((2, 1, 1), 4).count


def test_canonical_order_of_an_orbit() -> None:
    expected = [[2, 1, 0], [2, -1, 0], [1, 2, 0], [1, -2, 0], [2, 0, 1], [2, 0, -1]]
    assert matrix(Orbit((2, 1), 3)).tolist()[:6] == expected


def test_canonical_order_of_a_code() -> None:
    directions = CodeCube(2, (1, 2, 3))
    expected = [[(-1) ** (y & c).bit_count() for c in directions.columns] for y in range(4)]
    assert matrix(directions).tolist() == expected


def test_counts_of_large_sets_need_no_expansion() -> None:
    assert Orbit((1, 1, 1), 1000).count == 4 * math.comb(1000, 3)
    assert CodeCube(24, tuple(range(100))).count == 2**24


@pytest.mark.parametrize("generator", [(), (0,), (1, 2), (2, -1), (1, 1, 1, 1), (1001,)])
def test_generators_that_are_no_orbit(generator: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="integers from 1 to 1000"):
        Orbit(generator, 3)


@pytest.mark.parametrize(("bits", "columns"), [(2, (4,)), (2, (-1,)), (2, ()), (25, (0,)), (-1, (0,))])
def test_codes_that_are_none(bits: int, columns: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="0 to 24 bits"):
        CodeCube(bits, columns)


@pytest.mark.parametrize("vectors", [(), ((),), ((1.0,), (1.0, 2.0)), ((math.nan,),), ((math.inf,),)])
def test_explicit_vectors_that_are_refused(vectors: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(BadInput, match="at least one vector"):
        ExplicitDirections(vectors)


def test_unknown_kind() -> None:
    with pytest.raises(BadInput, match="directions of kind 'cube'"):
        directions_from_json({"kind": "cube"}, 3)
