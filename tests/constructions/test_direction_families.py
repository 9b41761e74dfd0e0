"""Families of directions: their moments by enumeration, the strength of codes, what cancels."""

import math
from itertools import product

import numpy as np
import pytest

from depthsep.constructions.direction_families import Family, families, moments_of_sphere, sum_of, thinned_cube
from depthsep.networks import CodeCube, Directions, ExplicitDirections, Orbit
from depthsep_check.directions import exponents, require_strength
from depthsep_check.document import CodeDirections
from depthsep_check.verdict import Budget, Refuted


def rows_of(directions: Directions) -> np.ndarray:
    return np.concatenate(list(directions.matrix_blocks()))


def require(code: CodeCube, degree: int) -> None:
    require_strength(CodeDirections(code.bits, code.columns), degree, "strength", Budget(10**9))


def named(dim: int, degree: int, word: str) -> Family:
    return next(family for family in families(dim, degree) if word in family.name)


# ------------------------------------------------------------------------------------------------------------------
# Codes


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("dim", [1, 2, 3, 5, 8, 10, 16, 17, 24])
def test_codes_have_the_promised_strength(dim: int, degree: int) -> None:
    code = thinned_cube(dim, degree)
    assert code is not None
    assert code.dim == dim
    require(code, degree)


@pytest.mark.parametrize(("dim", "degree"), [(3, 2), (5, 2), (8, 2), (10, 2), (6, 3), (9, 3), (7, 4)])
def test_moments_of_small_codes_by_enumeration(dim: int, degree: int) -> None:
    """In integers: the mean of <u, x>^(2j) over the code is that over the whole cube up to j = degree."""
    code = thinned_cube(dim, degree)
    cube = np.array(list(product((1, -1), repeat=dim)))
    points = np.random.default_rng(dim).integers(-3, 4, size=(dim, 40))
    for j in range(1, degree + 1):
        thinned = ((rows_of(code).astype(int) @ points) ** (2 * j)).sum(axis=0)
        assert (thinned * len(cube) == ((cube @ points) ** (2 * j)).sum(axis=0) * code.count).all()


def test_a_code_is_thinner_than_the_cube_and_no_stronger_than_it_has_to_be() -> None:
    code = thinned_cube(10, 2)
    assert code.count == 128
    with pytest.raises(Refuted, match="two sets of 3 columns have the same sum"):
        require(code, 3)


def test_a_repeated_column_is_noticed() -> None:
    columns = list(thinned_cube(10, 2).columns)
    columns[3] = columns[7]
    with pytest.raises(Refuted, match="two sets of 1 columns have the same sum"):
        require(CodeCube(7, tuple(columns)), 2)


@pytest.mark.parametrize(
    ("dim", "degree", "bits"),
    [
        (24, 3, 11),
        (10, 2, 7),
        (10, 3, 8),
        (20, 2, 9),
        (20, 3, 11),
        (100, 2, 14),
        (16, 1, 4),
        (17, 1, 5),
        (4, 4, 3),
        (256, 2, 16),
    ],
)
def test_sizes_of_codes(dim: int, degree: int, bits: int) -> None:
    """Dimension 24, degree 3 is the Golay code: 2^11 rows, where BCH columns would take 2^15."""
    assert thinned_cube(dim, degree).bits == bits


def test_no_code_beyond_the_limit_of_rows() -> None:
    assert thinned_cube(600, 5) is None
    assert thinned_cube(10_000, 2) is None
    assert not any("code" in family.name for family in families(600, 5, largest=10**15))


def test_codes_without_a_zero_column_add_up_to_nothing() -> None:
    for dim, degree in ((5, 2), (10, 2), (24, 3), (100, 2)):
        code = thinned_cube(dim, degree)
        assert 0 not in code.columns
        assert not sum_of(code).any()
        assert Family("code", dim, degree, (code,)).cancelling == (True,)


# ------------------------------------------------------------------------------------------------------------------
# Moments


def test_moments_of_the_sphere() -> None:
    circle = [math.comb(2 * j, j) / 4**j for j in range(6)]
    assert moments_of_sphere(2, 5) == pytest.approx(circle)
    assert moments_of_sphere(3, 5) == pytest.approx([1 / (2 * j + 1) for j in range(6)])
    assert moments_of_sphere(1, 3).tolist() == [1, 1, 1, 1]
    gauss = np.random.default_rng(0).normal(size=(400_000, 7))
    first = gauss[:, 0] / np.linalg.norm(gauss, axis=1)
    assert moments_of_sphere(7, 3) == pytest.approx([np.mean(first ** (2 * j)) for j in range(4)], rel=0.03)


def ratio(rows: np.ndarray, mu: tuple[int, ...]) -> float:
    """The coefficient of x^(2 mu) in the mean of <u, x>^(2j), over that in |u|^(2j) c_j |x|^(2j)."""
    j, dim = sum(mu), rows.shape[1]
    own = math.factorial(2 * j) / math.prod(math.factorial(2 * m) for m in mu)
    own *= float(np.mean(np.prod(rows ** (2 * np.array(mu)), axis=1)))
    sphere = math.factorial(j) / math.prod(map(math.factorial, mu)) * moments_of_sphere(dim, j)[j]
    return own / (sphere * float((rows**2).sum(axis=1).max()) ** j)


ALL = [
    (4, 6),
    (1, 2),
    (2, 1),
    (2, 4),
    (3, 1),
    (3, 2),
    (3, 3),
    (3, 4),
    (3, 5),
    (4, 2),
    (4, 3),
    (4, 5),
    (5, 3),
    (6, 2),
    (7, 3),
]


@pytest.mark.parametrize(("dim", "degree"), ALL)
def test_moment_ratios_by_enumeration(dim: int, degree: int) -> None:
    for family in families(dim, degree):
        rows = [rows_of(group) for group in family.groups]
        expected = {(j, *(round(ratio(r, mu), 9) for r in rows)) for j in range(degree + 1) for mu in exponents(j, dim)}
        listed = {(j, *(round(float(r), 9) for r in ratios)) for j, ratios in family.moment_rows}
        assert {tuple(map(float, key)) for key in listed} == {tuple(map(float, key)) for key in expected}, family.name


def mixture(family: Family) -> tuple[np.ndarray, float]:
    """Weights of the groups that come closest to the moments of the sphere, and how far off they are."""
    ratios = np.array([ratios for _, ratios in family.moment_rows])
    weights = np.linalg.lstsq(ratios, np.ones(len(ratios)), rcond=None)[0]
    return weights, float(np.abs(ratios @ weights - 1).max())


@pytest.mark.parametrize(
    ("dim", "degree", "word"),
    [(2, 1, "2 equi"), (2, 7, "8 equi"), (3, 2, "6 axes"), (3, 4, "16 axes"), (3, 5, "31 axes")]
    + [(3, k, "product") for k in (1, 2, 3, 4, 5, 6)]
    + [
        (4, 3, "60 axes"),
        (4, 5, "60 axes"),
        (4, 6, "360 axes"),
        (4, 9, "360 axes"),
        (4, 6, "product"),
        (4, 7, "product"),
    ],
)
def test_explicit_families_are_exact_where_they_should_be(dim: int, degree: int, word: str) -> None:
    """With positive weights: they are cubatures."""
    weights, miss = mixture(named(dim, degree, word))
    assert miss < 1e-12
    assert (weights > 0).all()


@pytest.mark.parametrize(("dim", "degree", "word"), [(3, 3, "6 axes"), (4, 2, "(1)"), (10, 3, "(1)")])
def test_others_are_exact_with_signed_weights_or_not_at_all(dim: int, degree: int, word: str) -> None:
    weights, miss = mixture(named(dim, degree, word))
    assert miss > 1e-3 or (miss < 1e-12 and weights.min() < 0)


def test_the_600_cell_is_exact_up_to_its_first_invariant() -> None:
    """H_4 has invariants of the degrees 2 and 12: of the two orbits one fails at k = 6 and both together do not."""
    axes = named(4, 5, "60 axes")
    assert axes.counts.tolist() == [60]
    assert mixture(Family("one degree more", 4, 6, axes.groups))[1] > 1e-3
    both = named(4, 6, "360 axes")
    assert both.counts.tolist() == [60, 300]
    assert mixture(Family("k = 10", 4, 10, both.groups))[1] > 1e-6
    assert named(4, 6, "product").counts.sum() == 322


@pytest.mark.parametrize(
    ("dim", "degree", "word"), [(3, 4, "16 axes"), (3, 5, "31 axes"), (3, 6, "product"), (4, 6, "360 axes")]
)
def test_one_profile_for_all_sets_of_a_cubature(dim: int, degree: int, word: str) -> None:
    """Shares that are positive and make all moments those of the sphere; programs see one group."""
    family = named(dim, degree, word)
    shared = family.shared()
    assert shared is not None
    assert shared.counts.tolist() == [family.counts.sum()]
    assert min(shared.weights) > 0
    assert sum(shared.weights) == pytest.approx(1)
    assert [j for j, _ in shared.moment_rows] == list(range(degree + 1))
    assert np.abs(np.array([ratios for _, ratios in shared.moment_rows]) - 1).max() < 1e-9
    assert shared.cancelling == (all(family.cancelling),)


def test_families_that_share_no_profile() -> None:
    assert named(3, 2, "6 axes").shared() is None  # one set
    assert named(10, 2, "code").shared() is None  # symmetric sets of different lengths


def test_equiangular_lines_cannot_be_fewer() -> None:
    family = named(2, 5, "6 equiangular")
    assert mixture(Family("one degree more", 2, 6, family.groups))[1] > 1e-3


def test_rows_begin_with_the_constant() -> None:
    degree, ratios = named(5, 2, "code").moment_rows[0]
    assert degree == 0
    assert ratios.tolist() == [1, 1]


# ------------------------------------------------------------------------------------------------------------------
# What is offered


def test_offers_by_dimension() -> None:
    names = {dim: [family.name for family in families(dim, 2)] for dim in (1, 2, 3, 10)}
    assert names[1] == ["(1)"]
    assert names[2] == ["3 equiangular lines"]
    assert names[3][:3] == ["6 axes of the icosahedron", "16 axes of the icosahedron", "31 axes of the icosahedron"]
    assert names[3][3:5] == ["product rule of degree 2", "(1) + (11)"]
    assert names[10] == ["(1) + (11)", "(1) + code of 128 rows", "(1) + (11) + code of 128 rows"]


def test_large_families_are_left_out() -> None:
    assert [family.name for family in families(10, 2, largest=140)] == ["(1) + (11)", "(1) + code of 128 rows"]
    assert list(families(10, 2, largest=5)) == []


def test_counts_and_lengths() -> None:
    family = named(10, 2, "(1) + (11) + code")
    assert family.counts.tolist() == [10, 90, 128]
    assert family.lengths == pytest.approx([1, math.sqrt(2), math.sqrt(10)])
    for family in families(3, 4):
        for group in family.groups:
            assert np.linalg.norm(rows_of(group), axis=1) == pytest.approx(math.sqrt(group.norm_squared))


@pytest.mark.parametrize("directions", [Orbit((1,), 4), Orbit((2, 1, 1), 5), CodeCube(3, (0, 1, 2, 4))])
def test_sums_by_enumeration(directions: Directions) -> None:
    assert sum_of(directions) == pytest.approx(rows_of(directions).sum(axis=0))
    assert np.abs(sum_of(directions)).max() > 0.5


def test_an_odd_number_of_lines_cancels() -> None:
    cancels = [family.cancelling for degree in (1, 2, 3, 4) for family in families(2, degree)]
    assert cancels == [(False,), (True,), (False,), (True,)]
    assert named(2, 2, "equi").counts.tolist() == [3]


def test_no_line_is_listed_twice() -> None:
    for dim, degree in ((3, 1), (3, 2), (3, 3), (3, 6), (4, 3), (4, 6)):
        listed = [family for family in families(dim, degree) if isinstance(family.groups[0], ExplicitDirections)]
        assert listed
        for family in listed:
            rows = np.concatenate([rows_of(group) for group in family.groups])
            cosines = np.abs(rows @ rows.T)
            assert (cosines - 2 * np.eye(len(rows))).max() < 1 - 1e-6


def test_explicit_and_symmetric_directions_do_not_mix() -> None:
    lines = ExplicitDirections(((1.0, 0.0), (0.0, 1.0)))
    with pytest.raises(TypeError, match="explicit directions do not mix"):
        _ = Family("mixed", 2, 1, (Orbit((1,), 2), lines)).moment_rows
