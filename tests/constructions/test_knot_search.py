"""The search for few knots: every move gives knots that the program accepts, and never more than it began with."""

from collections.abc import Callable

import numpy as np
import pytest

from depthsep.constructions.direction_families import Family, families
from depthsep.constructions.knot_search import Found, _around, improve, start, thin_out, units
from depthsep.constructions.sandwich_program import SandwichProgram
from depthsep.networks import Orbit


def family_of(dim: int, degree: int, word: str) -> Family:
    return next(family for family in families(dim, degree) if word in family.name)


# family, profile, eps, cells
PROGRAMS: dict[str, Callable[[], SandwichProgram]] = {
    "lines": lambda: program(family_of(2, 3, "4 equi"), lambda r: 1 - r, 0.05),
    "axes in space": lambda: program(family_of(3, 4, "16 axes"), lambda r: np.abs(r - 0.5), 0.1),
    "orbits and a code": lambda: program(family_of(5, 2, "(1) + code"), lambda r: 1 - r, 0.12),
    "ten dimensions": lambda: program(family_of(10, 1, "(1)"), lambda r: 1 - r, 0.3),
}


def program(family: Family, profile: Callable[[np.ndarray], np.ndarray], eps: float) -> SandwichProgram:
    return SandwichProgram(family, profile, eps, np.arange(1, 7) / 6)


@pytest.fixture(scope="module", params=PROGRAMS)
def searched(request: pytest.FixtureRequest) -> tuple[SandwichProgram, list[Found]]:
    """A program, and what was found after the start, the improvement and the thinning."""
    own = PROGRAMS[request.param]()
    first = start(own, 24, rounds=3)
    assert first is not None
    better = improve(own, first)
    assert better is not None
    return own, [first, better, thin_out(own, better)]


def test_every_move_keeps_or_lowers_the_cost(searched):
    own, (first, better, thin) = searched
    assert first.units >= better.units >= thin.units
    assert all(found.units == units(own.family, found.knots) for found in (first, better, thin))
    assert 0 < thin.units <= 0.9 * 24 * 2 * own.family.counts.sum()


def test_the_results_are_feasible_everywhere(searched):
    own, (_, better, thin) = searched
    for found in (better, thin):
        assert found.widest is not None
        solution = own.widest(found.knots, strict=True)
        assert solution is not None
        assert own.error(solution) <= own.eps * 1.001


def test_knots_increase_in_the_unit_interval(searched):
    _, results = searched
    for found in results:
        for knots in found.knots:
            assert (np.diff(knots) > 0).all()
            assert ((knots >= 0) & (knots < 1)).all()


def test_one_knot_less_is_not_possible_where_thinning_ended(searched):
    """The knots that matter most cannot just be dropped: the counts are not padded."""
    own, (*_, thin) = searched
    for group in np.flatnonzero([len(knots) > 0 for knots in thin.knots]):
        largest = int(np.argmax(np.abs(thin.widest.kinks[group])))
        fewer = [np.delete(k, largest) if g == group else k for g, k in enumerate(thin.knots)]
        assert own.widest(fewer) is None


def test_the_same_request_gives_the_same_knots():
    runs = []
    for _ in range(2):
        own = PROGRAMS["lines"]()
        found = thin_out(own, improve(own, start(own, 24, rounds=2)))
        runs.append([knots.tolist() for knots in found.knots])
    assert runs[0] == runs[1]


def test_a_flat_start_has_no_knot_at_zero():
    own = PROGRAMS["ten dimensions"]()
    assert all((knots > 0).all() for knots in start(own, 24, rounds=2, flat=True).knots)
    assert start(own, 24, rounds=2).knots[0][0] == 0


def test_an_accuracy_out_of_reach():
    own = program(family_of(2, 2, "3 equi"), lambda r: 1 - r, 0.005)
    assert start(own, 24, rounds=3) is None
    assert improve(own, Found(9, [np.array([0.0, 0.3, 0.6])])) is None


def test_knots_that_are_not_enough_are_joined_by_others():
    """Improvement tries the places around the knots."""
    own = program(family_of(2, 3, "4 equi"), lambda r: np.abs(r - 0.5), 0.12)
    knots = [np.array([0.2, 0.5])]
    assert own.widest(knots) is None
    found = improve(own, Found(units(own.family, knots), knots))
    assert found is not None
    assert own.widest(found.knots, strict=True) is not None


def test_places_around_knots_do_not_coincide():
    """Around 0.1, 0.5 and 0.9 the place 0.3 comes up twice, once rounded up; the program would break down over it."""
    own = program(family_of(2, 3, "4 equi"), lambda r: np.abs(r - 0.5), 0.12)
    knots = np.array([0.1, 0.5, 0.9])
    places = _around(knots, 0.5)
    assert np.diff(places).min() > 1e-3
    assert set(knots) <= set(places)
    assert own.widest([places], strict=True) is not None


def test_thinning_drops_knots_that_nobody_needs():
    own = PROGRAMS["ten dimensions"]()
    plenty = [np.linspace(0, 0.9, 10)]
    found = Found(units(own.family, plenty), plenty, own.widest(plenty))
    assert thin_out(own, found).units <= found.units - 4 * 10


def test_thinning_without_a_solution_changes_nothing():
    found = Found(3, [np.array([0.0])])
    assert thin_out(PROGRAMS["lines"](), found) == found


@pytest.mark.parametrize(
    ("family", "knots", "expected"),
    [
        (family_of(2, 2, "3 equi"), [[0.0]], 3),  # one unit a line, and three lines add up to nothing
        (family_of(2, 3, "4 equi"), [[0.0]], 4 + 1),  # four do not: one unit more
        (family_of(2, 3, "4 equi"), [[0.0, 0.5]], 4 * 3 + 1),
        (family_of(2, 3, "4 equi"), [[0.25, 0.5]], 4 * 4),
        (family_of(10, 2, "(1) + code"), [[0.1], [0.0, 0.5]], 10 * 2 + 128 * 3),
        (family_of(10, 2, "(1) + code"), [[0.0], [0.0, 0.5]], 10 + 128 * 3 + 1),
        (family_of(10, 2, "(1) + code"), [[], []], 0),
        (Family("axes", 4, 1, (Orbit((1,), 4),)), [[0.0, 0.2, 0.4]], 4 * 5 + 1),
    ],
)
def test_cost_of_knots(family, knots, expected):
    assert units(family, [np.array(k) for k in knots]) == expected
