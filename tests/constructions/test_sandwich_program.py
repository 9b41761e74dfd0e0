"""The linear program: its solutions really sandwich, in the units that its docstring promises."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from depthsep.constructions.direction_families import Family, families
from depthsep.constructions.moment_program import knot_grid
from depthsep.constructions.sandwich_program import SandwichProgram, Solution

Profile = Callable[[np.ndarray], np.ndarray]


def cone(r: np.ndarray) -> np.ndarray:
    return 1 - r


def bump(r: np.ndarray) -> np.ndarray:
    return np.exp(-3 * r**2)


def kinked(r: np.ndarray) -> np.ndarray:
    return np.abs(r - 0.5)


# name of the family, dimension, degree, profile, eps, cells, points of the grid of knots
CASES = {
    "lines": ("3 equi", 2, 2, cone, 0.1, 6, 6),
    "lines that leave a linear part": ("4 equi", 2, 3, kinked, 0.15, 6, 12),
    "icosahedron": ("6 axes", 3, 2, bump, 0.1, 5, 10),
    "two radii of orbits": ("(1) + (11)", 4, 2, cone, 0.2, 4, 8),
    "orbits and a code": ("(1) + code", 10, 2, cone, 0.2, 6, 16),
    "high dimension": ("(1)", 60, 1, bump, 0.3, 10, 16),
}


def family_of(case: str) -> Family:
    word, dim, degree, *_ = CASES[case]
    return next(family for family in families(dim, degree) if word in family.name)


def program_of(case: str) -> SandwichProgram:
    _, _, _, profile, eps, cells, _ = CASES[case]
    return SandwichProgram(family_of(case), profile, eps, np.arange(1, cells + 1) / cells)


@pytest.fixture(scope="module")
def solved() -> Callable[[str], tuple[SandwichProgram, Solution]]:
    """Give a program and its strict widest solution by the name of the case."""
    done: dict[str, tuple[SandwichProgram, Solution]] = {}

    def give(case: str) -> tuple[SandwichProgram, Solution]:
        if case not in done:
            program = program_of(case)
            grid = knot_grid(program.family.dim, CASES[case][-1])
            solution = program.widest([grid for _ in program.family.groups], strict=True)
            assert solution is not None
            done[case] = program, solution
        return done[case]

    return give


@pytest.mark.parametrize("case", CASES)
def test_polynomials_lie_above_and_below_the_profiles_between_the_samples(case, solved):
    program, solution = solved(case)
    for cell, end in enumerate(program.cells):
        t = np.unique(np.concatenate([np.linspace(0, end, 7001), np.geomspace(1e-6, end, 2000)]))
        for group, profile in enumerate(solution.profiles()):
            upper, lower = solution.polynomials[cell, group] @ program.basis(t).T
            assert (upper - profile(t)).min() > -1e-7
            assert (profile(t) - lower).min() > -1e-7
    assert solution.gap > 0


@pytest.mark.parametrize("case", CASES)
def test_bounds_are_the_extreme_moments_and_stay_near_the_profile(case, solved):
    program, solution = solved(case)
    low = 0.0
    for cell, end in enumerate(program.cells):
        upper, lower = program.moment_bounds(solution, cell)
        for j, ratios in program.family.moment_rows:
            above, below = solution.polynomials[cell, :, :, j].T @ ratios
            assert above <= upper[j] + 1e-12
            assert below >= lower[j] - 1e-12
        radii = np.linspace(low, end, 3001)
        powers = radii ** (2 * np.arange(program.terms))[:, None]
        assert (solution.bias + upper @ powers - program.profile(radii)).max() <= program.eps * 1.001
        assert (program.profile(radii) - solution.bias - lower @ powers).max() <= program.eps * 1.001
        low = end


def random_points(dim: int, count: int) -> np.ndarray:
    """Points of the ball with few and with many entries, the radii spread evenly."""
    rng = np.random.default_rng(dim)
    points = rng.normal(size=(count, dim))
    points *= rng.uniform(size=(count, dim)) < rng.choice((1 / dim, 0.3, 1), size=(count, 1))
    points[np.arange(count), rng.integers(dim, size=count)] += 1e-3
    return points * (rng.uniform(size=(count, 1)) / np.linalg.norm(points, axis=1, keepdims=True))


@pytest.mark.parametrize("case", CASES)
def test_the_average_over_the_directions_is_near_the_function(case, solved):
    """By enumeration: bias + the sum over groups of the mean of g(|<u, x>| / |u|), in every cell between its bounds."""
    program, solution = solved(case)
    family = program.family
    points = random_points(family.dim, 400)
    radii = np.linalg.norm(points, axis=1)
    cells = np.searchsorted(program.cells, radii)
    total = np.full(len(points), solution.bias)
    for group, profile, length in zip(family.groups, solution.profiles(), family.lengths, strict=True):
        blocks = [np.abs(z) / length for z in group.blocks(points)]
        values = [profile(z.ravel()).reshape(z.shape).sum(axis=1) for z in blocks]
        total += sum(values) / group.count
    assert np.abs(total - program.profile(radii)).max() <= 1.001 * program.eps
    for cell in range(len(program.cells)):
        inside = cells == cell
        powers = radii[inside] ** (2 * np.arange(program.terms))[:, None]
        upper, lower = program.moment_bounds(solution, cell) @ powers + solution.bias
        assert (total[inside] <= upper + 1e-7).all()
        assert (total[inside] >= lower - 1e-7).all()


@pytest.mark.parametrize("case", CASES)
def test_kinks_are_slopes_in_units_of_a_coordinate(case, solved):
    program, solution = solved(case)
    for kinks, slopes, knots in zip(solution.kinks, solution.slopes, solution.knots, strict=True):
        assert slopes == pytest.approx(math.sqrt(program.family.dim) * kinks)
        assert len(slopes) == len(knots)
    for profile in solution.profiles():
        assert profile(np.zeros(1)).tolist() == [0]


def test_sparse_solutions_use_fewer_knots():
    program = program_of("orbits and a code")
    grid = [knot_grid(10, 24) for _ in program.family.groups]
    solution = program.sparse(grid, [np.ones(len(knots)) for knots in grid])
    assert solution.gap == pytest.approx(0, abs=1e-9)
    used = solution.active()
    assert 0 < sum(map(len, used)) < 24
    assert all(set(few.tolist()) <= set(knots.tolist()) for few, knots in zip(used, grid, strict=True))


@pytest.mark.parametrize("case", ["lines", "lines that leave a linear part", "icosahedron"])
def test_sparse_solutions_learn_where_they_cut_corners(case):
    program = program_of(case)
    grid, weights = [knot_grid(program.family.dim, 32)], [np.ones(32)]
    errors = [program.error(program.sparse(grid, weights)) / program.eps for _ in range(5)]
    assert errors[0] > 1.003
    assert errors[-1] < 1


def test_without_a_knot_at_zero_the_profile_begins_flat():
    program = program_of("icosahedron")
    grid = [knot_grid(3, 16)[1:]]
    solution = program.widest(grid)
    (profile,) = solution.profiles()
    assert np.abs(profile(np.linspace(0, grid[0][0], 50))).max() < 1e-9
    assert np.abs(profile(np.ones(1))).max() > 0.1


@pytest.mark.parametrize("case", ["lines", "orbits and a code"])
def test_an_accuracy_out_of_reach(case):
    *_, profile, _, cells, points = CASES[case]
    program = SandwichProgram(family_of(case), profile, 0.002, np.arange(1, cells + 1) / cells)
    grid = [knot_grid(program.family.dim, points) for _ in program.family.groups]
    assert program.widest(grid) is None
    assert program.sparse(grid, [np.ones(len(knots)) for knots in grid]) is None


def test_no_knots_at_all():
    """The profiles are 0 then, and the moments of the sphere alone do not make a cone."""
    program = program_of("lines")
    assert program.widest([np.zeros(0)]) is None
    loose = SandwichProgram(program.family, cone, 0.6, program.cells)
    solution = loose.widest([np.zeros(0)], strict=True)
    assert solution.bias == pytest.approx(0.5, abs=0.11)
    assert loose.error(solution) == pytest.approx(0.6, rel=1e-3)


def constant_solution(program: SandwichProgram, bias: float) -> Solution:
    empty = [np.zeros(0) for _ in program.family.groups]
    shape = (len(program.cells), len(empty), 2, program.terms)
    return Solution(empty, empty, empty, bias, np.zeros(shape), 1.0)


@pytest.mark.parametrize("peak", [0.70031, 0.100017, 0.49999, 0.001])
def test_the_error_is_measured_at_peaks_between_the_grid_points(peak):
    """A spike a fiftieth wide: sampled at 500 places in a cell it would be met up to 4% below its top."""
    case = "lines"

    def spike(r: np.ndarray) -> np.ndarray:
        return np.maximum(0, 1 - 50 * np.abs(r - peak))

    program = SandwichProgram(family_of(case), spike, 0.1, np.arange(1, 3) / 2)
    assert program.error(constant_solution(program, 0.0)) == pytest.approx(1, abs=1e-3)
    assert program.error(constant_solution(program, 0.75)) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize(("dim", "count"), [(1, 5), (2, 24), (9, 16), (10, 16), (100, 24), (10_000, 32), (0.2, 7)])
def test_grids_of_knots(dim, count):
    grid = knot_grid(dim, count)
    assert len(grid) == count
    assert grid[0] == 0
    assert grid[-1] < 1
    assert (np.diff(grid) > 0).all()


def test_grids_are_finest_where_coordinates_of_the_sphere_are():
    grid = knot_grid(100, 24)
    inner = grid[grid <= 0.3]
    assert len(inner) == 13
    assert np.diff(inner) == pytest.approx(0.3 / 12)
    outer = grid[grid >= 0.3 - 1e-12]
    assert outer[1:] / outer[:-1] == pytest.approx(outer[1] / outer[0])
