from __future__ import annotations

import random
from itertools import pairwise

import pytest
from flint import fmpq, fmpq_poly

from depthsep_check.polynomials import negative_point
from depthsep_check.verdict import Budget, Exhausted


def value(coefficients: list[fmpq], z: fmpq) -> fmpq:
    return fmpq_poly(coefficients)(z)


def test_answers_agree_with_the_roots() -> None:
    # A product of linear factors and a positive factor: its sign on an interval is known from its roots.
    rng = random.Random(3)
    outcomes = set()
    for _ in range(300):
        roots = sorted(fmpq(rng.randint(-20, 20), rng.randint(1, 7)) for _ in range(rng.randint(0, 4)))
        polynomial = fmpq_poly([fmpq(rng.randint(1, 9), 5), 0, rng.randint(0, 3)]) * rng.choice((1, -1))
        for root in roots:
            polynomial *= fmpq_poly([-root, 1])
        low = fmpq(rng.randint(-20, 20), rng.randint(1, 7))
        high = low + fmpq(rng.randint(1, 30), rng.randint(1, 7))
        inner = [low, *(r for r in roots if low < r < high), high]
        negative = any(polynomial((a + b) / 2) < 0 for a, b in pairwise(inner))
        try:
            point = negative_point(polynomial.coeffs(), low, high, "s", Budget(3000))
        except Exhausted:
            # Only a zero inside the interval, where the sign does not change, can exhaust it.
            assert not negative
            assert len(inner) > 2
            continue
        assert (point is not None) == negative
        outcomes.add(negative)
        if point is not None:
            assert low <= point <= high
            assert polynomial(point) < 0
    assert outcomes == {True, False}


@pytest.mark.parametrize("coefficients", [[], [0], [1], [0, 0, 0], [0, 1], [0, 0, 3]])
def test_simple_polynomials_are_nonnegative(coefficients: list[int]) -> None:
    assert negative_point([fmpq(c) for c in coefficients], fmpq(0), fmpq(2), "s", Budget(1)) is None


def test_zeros_at_the_ends_are_fine() -> None:
    assert negative_point([fmpq(0), fmpq(1), fmpq(-1)], fmpq(0), fmpq(1), "s", Budget(5)) is None


def test_a_single_point() -> None:
    line = [fmpq(-1), fmpq(1)]
    assert negative_point(line, fmpq(1), fmpq(1), "s", Budget(1)) is None
    assert negative_point(line, fmpq(1, 2), fmpq(1, 2), "s", Budget(1)) == fmpq(1, 2)


def test_a_deep_narrow_dip_is_found() -> None:
    # (z - 1/3)^2 - 10^-12 is negative within 10^-6 of 1/3.
    dip = [fmpq(1, 9) - fmpq(1, 10**12), fmpq(-2, 3), fmpq(1)]
    point = negative_point(dip, fmpq(0), fmpq(1), "s", Budget(1000))
    assert point is not None
    assert value(dip, point) < 0
    raised = [dip[0] + fmpq(2, 10**12), *dip[1:]]
    assert negative_point(raised, fmpq(0), fmpq(1), "s", Budget(1000)) is None


def test_a_zero_inside_exhausts_and_never_passes() -> None:
    touching = [fmpq(1, 9), fmpq(-2, 3), fmpq(1)]
    with pytest.raises(Exhausted, match="C1: undecided after 60 bisections"):
        negative_point(touching, fmpq(0), fmpq(1), "C1", Budget(100_000))
    with pytest.raises(Exhausted, match="C1: the work limit of 7 units was reached"):
        negative_point(touching, fmpq(0), fmpq(1), "C1", Budget(7))


def test_long_coefficients_cost_more() -> None:
    long = [fmpq(1, 2**2000), fmpq(1), fmpq(1), fmpq(1), fmpq(1), fmpq(1)]
    budget = Budget(10)
    assert negative_point(long, fmpq(0), fmpq(1), "s", budget) is None
    assert budget.left < 9
