from __future__ import annotations

import itertools
import random
from contextlib import nullcontext
from fractions import Fraction
from math import factorial, prod
from types import SimpleNamespace

import pytest
from flint import fmpq

from depthsep_check import directions as sets
from depthsep_check.document import CodeDirections, Directions, ExplicitDirections, OrbitDirections
from depthsep_check.verdict import Budget, Exhausted, Refuted

ORBITS = [((1,), 1), ((5,), 2), ((1,), 3), ((2, 1), 3), ((1, 1), 4), ((2, 1, 1), 4), ((1, 1, 1), 3), ((3, 2, 1), 3)]


def as_json(directions: Directions) -> dict[str, object]:
    if isinstance(directions, OrbitDirections):
        return {"kind": "orbit", "generator": list(directions.generator)}
    assert isinstance(directions, CodeDirections)
    return {"kind": "code", "bits": directions.bits, "columns": list(directions.columns)}


def brute_force_form(vectors: list[tuple[float, ...]], j: int) -> dict[tuple[int, ...], Fraction]:
    """Coefficients of sum <u, x>^(2j), expanded factor by factor; the entries are small, so floats are exact."""
    form: dict[tuple[int, ...], float] = {}
    for places in itertools.product(range(len(vectors[0])), repeat=2 * j):
        alpha = tuple(places.count(i) for i in range(len(vectors[0])))
        form[alpha] = form.get(alpha, 0) + sum(prod(u[i] for i in places) for u in vectors)
    return {alpha: Fraction(total) for alpha, total in form.items()}


def same(a: fmpq, b: Fraction) -> bool:
    return str(a) == str(b)


@pytest.mark.parametrize(("generator", "dim"), ORBITS)
def test_orbits_against_enumeration(shallow: SimpleNamespace, generator: tuple[int, ...], dim: int) -> None:
    orbit = OrbitDirections(generator)
    vectors = shallow.vectors_of(as_json(orbit), dim)
    assert sets.count(orbit, dim) == len(vectors)
    assert {sum(c * c for c in u) for u in vectors} == {int(sets.norm_squared(orbit, dim).p)}
    assert sets.representative_sum(orbit, dim) == [fmpq(int(sum(column))) for column in zip(*vectors, strict=True)]
    moments = sets.symmetric_moments(orbit, dim, 3)
    for j in range(4):
        assert set(moments[j]) == set(sets.partitions(j, dim))
        for alpha, coefficient in brute_force_form(vectors, j).items():
            if any(a % 2 for a in alpha):
                assert coefficient == 0
            else:
                mu = tuple(sorted((a // 2 for a in alpha if a), reverse=True))
                assert same(moments[j][mu], coefficient)


@pytest.mark.parametrize(
    ("bits", "columns", "degree"),
    [(0, (0,), 3), (2, (0, 1, 2, 3), 1), (3, (1, 2, 4), 3), (4, (0, 1, 2, 4, 8), 2)],
)
def test_codes_against_enumeration(shallow: SimpleNamespace, bits: int, columns: tuple[int, ...], degree: int) -> None:
    code, dim = CodeDirections(bits, columns), len(columns)
    sets.require_strength(code, degree, "s", Budget(100))
    vectors = shallow.vectors_of(as_json(code), dim)
    assert sets.count(code, dim) == len(vectors) == 2**bits
    assert sets.norm_squared(code, dim) == dim
    assert sets.representative_sum(code, dim) == [fmpq(int(sum(column))) for column in zip(*vectors, strict=True)]
    moments = sets.symmetric_moments(code, dim, degree)
    for j in range(degree + 1):
        for alpha, coefficient in brute_force_form(vectors, j).items():
            if any(a % 2 for a in alpha):
                assert coefficient == 0
            else:
                mu = tuple(sorted((a // 2 for a in alpha if a), reverse=True))
                assert same(moments[j][mu], coefficient)


def test_the_strength_test_is_exactly_the_right_one(shallow: SimpleNamespace) -> None:
    """It accepts a code if and only if all its even moments up to the degree are those of the cube."""
    rng = random.Random(4)
    answers = set()
    for _ in range(120):
        bits, dim, degree = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 2)
        code = CodeDirections(bits, tuple(rng.randrange(2**bits) for _ in range(dim)))
        vectors = shallow.vectors_of(as_json(code), dim)
        cube = [
            brute_force_form(vectors, j)
            == {
                alpha: 2**bits * Fraction(factorial(2 * j), prod(map(factorial, alpha)))
                if all(a % 2 == 0 for a in alpha)
                else 0
                for alpha in sets.exponents(2 * j, dim)
            }
            for j in range(1, degree + 1)
        ]
        with nullcontext() if all(cube) else pytest.raises(Refuted, match="columns have the same sum"):
            sets.require_strength(code, degree, "s", Budget(1000))
        answers.add((all(cube), degree))
    assert len(answers) == 4


def test_too_many_columns_for_the_bits_are_refused_at_once() -> None:
    with pytest.raises(Refuted, match="two sets of 1 columns"):
        sets.require_strength(CodeDirections(3, (*range(8), 0)), 1, "s", Budget(1))
    with pytest.raises(Exhausted, match="work limit"):
        sets.require_strength(CodeDirections(24, tuple(range(5000))), 2, "s", Budget(1000))


def test_explicit_moments_against_enumeration() -> None:
    rng = random.Random(5)
    for dim in (1, 2, 3):
        vectors = tuple(tuple(fmpq(rng.randint(-9, 9), 8) for _ in range(dim)) for _ in range(4))
        floats = [tuple(int(c.p) / int(c.q) for c in u) for u in vectors]
        moments = sets.explicit_moments(vectors, 2, "s", Budget(1000))
        explicit = ExplicitDirections(vectors)
        assert sets.count(explicit, dim) == 4
        assert sets.norm_squared(explicit, dim) == max(sum(c * c for c in u) for u in vectors)
        assert sets.representative_sum(explicit, dim) == [sum(column, fmpq(0)) for column in zip(*vectors, strict=True)]
        for j in range(3):
            form = brute_force_form(floats, j)
            assert all(same(moments[j][alpha], form[alpha]) for alpha in sets.exponents(2 * j, dim))


def test_explicit_moments_stop_at_the_budget() -> None:
    vectors = tuple((fmpq(1), fmpq(i), fmpq(i, 2), fmpq(1, 7)) for i in range(500))
    with pytest.raises(Exhausted, match="moments of group 0: the work limit"):
        sets.explicit_moments(vectors, 12, "moments of group 0", Budget(1000))


def test_partitions_and_exponents_are_complete() -> None:
    assert [len(sets.partitions(j, 99)) for j in range(13)] == [1, 1, 2, 3, 5, 7, 11, 15, 22, 30, 42, 56, 77]
    assert sets.partitions(3, 2) == [(3,), (2, 1)]
    every = list(sets.exponents(5, 3))
    assert len(every) == len(set(every)) == 21
    assert {sum(alpha) for alpha in every} == {5}
