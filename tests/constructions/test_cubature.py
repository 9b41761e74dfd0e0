"""Exact identities, compared with enumerated directions and with the bound on their number."""

from collections.abc import Callable
from fractions import Fraction
from math import comb

import pytest

from depthsep.constructions.cubature import Identity, exact_cubature, sparse_orbits
from depthsep.constructions.direction_families import thinned_cube
from depthsep.errors import BadInput
from depthsep.lower_bounds.moment_limits import exact_identity_directions
from depthsep.networks import CodeCube, Orbit


def by_enumeration(identity: Identity, point: list[Fraction]) -> Fraction:
    """The left side at a rational point, direction by direction."""
    total = Fraction(0)
    for group, weight in zip(identity.groups, identity.weights, strict=True):
        for block in group.matrix_blocks():
            for vector in block.tolist():
                z = sum((Fraction(u) * x for u, x in zip(vector, point, strict=True)), Fraction(0))
                total += weight * z**identity.degree
    return total


POINT = [Fraction(2, 3), Fraction(-1, 5), Fraction(3), Fraction(1, 7), Fraction(-5, 2), Fraction(1)]


@pytest.mark.parametrize(
    ("dim", "degree"), [(1, 6), (2, 2), (2, 8), (2, 14), (3, 4), (3, 10), (4, 4), (4, 8), (5, 6), (5, 10), (6, 8)]
)
def test_the_identity_holds_exactly(dim: int, degree: int) -> None:
    identity = exact_cubature(dim, degree)
    point = POINT[:dim]
    assert by_enumeration(identity, point) == sum(x * x for x in point) ** (degree // 2)
    unit = [Fraction(1)] + [Fraction(0)] * (dim - 1)
    assert by_enumeration(identity, unit) == 1
    assert identity.directions == sum(len(block) for group in identity.groups for block in group.matrix_blocks())
    assert identity.directions >= exact_identity_directions(dim, degree)


def test_the_first_identities() -> None:
    assert [str(w) for w in exact_cubature(7, 2).weights] == ["1"]
    assert [str(w) for w in exact_cubature(10, 4).weights] == ["-2", "1/6"]
    assert [str(w) for w in exact_cubature(10, 6).weights] == ["8/5", "-1/6", "1/60"]
    four = exact_cubature(4, 4)  # the 12 lines of the 24 shortest vectors of D4: the axes have the weight 0
    assert (four.groups, [str(w) for w in four.weights]) == ((Orbit((1, 1), 4),), ["1/6"])


@pytest.mark.parametrize(
    ("dim", "degree", "directions", "bound"),
    [(10, 4, 100, 55), (10, 6, 580, 220), (10, 8, 2440, 715), (10, 10, 7912, 2002), (20, 4, 400, 210),
     (20, 6, 4960, 1540), (20, 8, 44480, 8855), (100, 4, 10000, 5050), (100, 6, 656800, 171700)],
)  # fmt: skip
def test_directions_beside_the_bound(dim: int, degree: int, directions: int, bound: int) -> None:
    assert exact_cubature(dim, degree).directions == directions
    assert exact_identity_directions(dim, degree) == bound == comb(dim + degree // 2 - 1, degree // 2)


def test_as_many_orbits_of_every_support_as_partitions_with_so_many_parts() -> None:
    supports = [len(generator) for generator in sparse_orbits(6)]
    assert [supports.count(parts) for parts in range(1, 7)] == [1, 3, 3, 2, 1, 1]
    assert sparse_orbits(5) == [(1,), (1, 1), (2, 1), (1, 1, 1), (2, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1, 1)]
    assert len(exact_cubature(13, 24).groups) == 77


@pytest.mark.parametrize("dim", [4, 5, 6])
def test_a_thinned_cube_gives_positive_weights(dim: int) -> None:
    code = thinned_cube(dim, 2)
    assert code is not None
    identity = exact_cubature(dim, 4, [code, Orbit((1,), dim)])
    assert identity.positive
    point = POINT[:dim]
    assert by_enumeration(identity, point) == sum(x * x for x in point) ** 2
    assert not exact_cubature(10, 4).positive


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "odd degree": (lambda: exact_cubature(3, 5), "an even degree from 2 to 24"),
    "degree 0": (lambda: exact_cubature(3, 0), "an even degree from 2 to 24"),
    "large degree": (lambda: exact_cubature(3, 26), "an even degree from 2 to 24"),
    "no dimension": (lambda: exact_cubature(0, 2), "a dimension of at least 1"),
    "too few sets": (lambda: exact_cubature(5, 4, [Orbit((1,), 5)]), "no combination of which has the moments"),
    "one set twice": (lambda: exact_cubature(5, 4, [Orbit((1,), 5)] * 2), "one for each of the 2 partitions of 2"),
    "another dimension": (lambda: exact_cubature(5, 4, [Orbit((1,), 4)]), "directions of another dimension"),
    "a weak code": (lambda: exact_cubature(3, 4, [CodeCube(2, (1, 1, 2))]), "two sets of 1 columns have the same sum"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    ask, text = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        ask()
    assert text in str(caught.value)


@pytest.mark.parametrize(("dim", "degree"), [(0, 2), (2, 3), (2, -2)])
def test_the_bound_refuses_what_makes_no_sense(dim: int, degree: int) -> None:
    with pytest.raises(BadInput, match="even degree that is not negative"):
        exact_identity_directions(dim, degree)
