"""Exact facts about the sets of directions: how many, how long, and their even moments.

Orbits and codes are symmetric: the form sum_u <u, x>^(2j) has only even exponents, and the coefficient of
x_1^(2m_1) ... x_d^(2m_d) depends on the partition mu of j that the m_i make. For an orbit of v in s places it is

    A_mu = M (2j)! / prod (2 mu_i)! * (d-l)!/d! * I(v, mu),    l = number of parts of mu,

with M the number of directions and I the sum over all injections of the parts into the places of v of
prod v_place^(2 mu_i): expand the multinomial; the signs cancel odd exponents; every place of v is equally likely. I is
the monomial symmetric function m_mu(v^2) times the factorials of the multiplicities in mu.

A code counts as the cube v = (1, ..., 1) provided no nonempty set of an even number <= 2k of its columns has the sum 0
modulo 2 (k the largest degree used). Split such a set in two halves: equivalently, for every j <= k the sums over
j columns are distinct. That is tested here and never assumed.

Explicit vectors have no symmetry; their forms are computed with all exponents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import comb, factorial, lcm, prod

from flint import fmpq, fmpz

from depthsep_check.document import CodeDirections, Directions, OrbitDirections
from depthsep_check.verdict import Budget, Refuted

Partition = tuple[int, ...]
Exponents = tuple[int, ...]


def count(directions: Directions, dim: int) -> int:
    """How many directions the set has, with multiplicity."""
    if isinstance(directions, OrbitDirections):
        size = len(directions.generator)
        return (1 << size - 1) * _falling(dim, size) // _repetitions(directions.generator)
    return 1 << directions.bits if isinstance(directions, CodeDirections) else len(directions.vectors)


def norm_squared(directions: Directions, dim: int) -> fmpq:
    """The largest squared Euclidean norm of a direction."""
    if isinstance(directions, OrbitDirections):
        return fmpq(sum(v * v for v in directions.generator))
    if isinstance(directions, CodeDirections):
        return fmpq(dim)
    return max(sum((c * c for c in vector), fmpq(0)) for vector in directions.vectors)


def representative_sum(directions: Directions, dim: int) -> list[fmpq]:
    """The sum of all directions of the set (for an orbit, of the chosen one of each pair)."""
    if isinstance(directions, OrbitDirections):
        # In place i the contributions cancel unless it holds the first nonzero entry, which is positive.
        generator, size = directions.generator, len(directions.generator)
        factor = fmpq(2 ** (size - 1) * factorial(size) * sum(generator), _repetitions(generator) * size)
        return [factor * comb(dim - i, size - 1) for i in range(1, dim + 1)]
    if isinstance(directions, CodeDirections):
        return [fmpq(0 if column else 2**directions.bits) for column in directions.columns]
    return [sum(column, fmpq(0)) for column in zip(*directions.vectors, strict=True)]


def partitions(total: int, most_parts: int) -> list[Partition]:
    """The partitions of `total` into at most `most_parts` parts, each nonincreasing."""
    return [p for p in _all_partitions(total) if len(p) <= most_parts]


def symmetric_moments(
    directions: OrbitDirections | CodeDirections, dim: int, degree: int
) -> list[dict[Partition, fmpq]]:
    """For every j up to `degree` the numbers A_mu, mu a partition of j into at most `dim` parts.

    For a code they are right only after `require_strength`.
    """
    size = count(directions, dim)
    if isinstance(directions, CodeDirections):
        return [{mu: fmpq(size * _multinomial(mu)) for mu in partitions(j, dim)} for j in range(degree + 1)]
    monomial = _monomial_symmetric(directions.generator, degree)
    return [
        {
            mu: fmpq(size * _multinomial(mu) * _repetitions(mu), _falling(dim, len(mu))) * monomial[mu]
            for mu in partitions(j, dim)
        }
        for j in range(degree + 1)
    ]


def require_strength(code: CodeDirections, degree: int, step: str, budget: Budget) -> None:
    """Test that the code has the even moments of the whole cube up to degree 2 * `degree`.

    Raises:
        Refuted: two different sets of equally many columns (at most `degree`) have the same sum modulo 2.
    """
    columns = code.columns
    for size in range(1, min(degree, len(columns)) + 1):
        reason = f"two sets of {size} columns have the same sum: the moments of degree {2 * size} are not the cube's"
        if comb(len(columns), size) > 2**code.bits:
            raise Refuted(step, reason)
        budget.spend(step, comb(len(columns), size) // 64)
        seen = bytearray(2**code.bits)
        for first in combinations(range(len(columns)), size - 1):
            partial = 0
            for index in first:
                partial ^= columns[index]
            for column in columns[first[-1] + 1 if first else 0 :]:
                if seen[partial ^ column]:
                    raise Refuted(step, reason)
                seen[partial ^ column] = 1


def explicit_moments(
    vectors: tuple[tuple[fmpq, ...], ...], degree: int, step: str, budget: Budget
) -> list[dict[Exponents, fmpq]]:
    """For every j up to `degree` all coefficients of the form sum_u <u, x>^(2j), by exponents."""
    dim = len(vectors[0])
    terms = sum(comb(2 * j + dim - 1, dim - 1) for j in range(degree + 1))
    budget.spend(step, terms * (1 + len(vectors) // 4))
    # Integers, over one common denominator; powers[i][a] lists the a-th powers of the i-th entries of all vectors.
    denominator = lcm(*(int(c.q) for u in vectors for c in u))
    integers = [[(c * denominator).p for c in column] for column in zip(*vectors, strict=True)]
    powers = [[[c**a for c in column] for a in range(2 * degree + 1)] for column in integers]
    moments = []
    for j in range(degree + 1):
        form: dict[Exponents, fmpq] = {}
        for alpha in exponents(2 * j, dim):
            total = sum(map(prod, zip(*(powers[i][a] for i, a in enumerate(alpha)), strict=True)), fmpz(0))
            ways = factorial(2 * j) // prod(map(factorial, alpha))
            form[alpha] = fmpq(total * ways, fmpz(denominator) ** (2 * j))
        moments.append(form)
    return moments


def exponents(total: int, dim: int) -> Iterator[Exponents]:
    """All tuples of `dim` nonnegative integers with the sum `total`."""
    if dim == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in exponents(total - first, dim - 1):
            yield (first, *rest)


def _multinomial(mu: Partition) -> int:
    """(2j)! / prod (2 mu_i)!."""
    return factorial(2 * sum(mu)) // prod(factorial(2 * part) for part in mu)


def _monomial_symmetric(generator: tuple[int, ...], degree: int) -> dict[Partition, int]:
    """m_mu(v_1^2, v_2^2, ...) for all partitions up to the degree, one variable added at a time."""
    # Largest partitions first, so that those with a part removed are still without the new variable.
    order = [mu for j in range(degree, 0, -1) for mu in _all_partitions(j)]
    values: dict[Partition, int] = dict.fromkeys(order, fmpz(0)) | {(): fmpz(1)}
    for entry in generator:
        powers = [fmpz(entry) ** (2 * part) for part in range(degree + 1)]
        for mu in order:
            for part in set(mu):
                values[mu] += powers[part] * values[_without(mu, part)]
    return values


@lru_cache(maxsize=4096)
def _without(mu: Partition, part: int) -> Partition:
    index = mu.index(part)
    return mu[:index] + mu[index + 1 :]


@lru_cache(maxsize=64)
def _all_partitions(total: int, largest: int | None = None) -> tuple[Partition, ...]:
    if total == 0:
        return ((),)
    top = total if largest is None else min(total, largest)
    return tuple((first, *rest) for first in range(top, 0, -1) for rest in _all_partitions(total - first, first))


def _repetitions(values: tuple[int, ...]) -> int:
    """Product of the factorials of the multiplicities."""
    return prod(map(factorial, Counter(values).values()))


def _falling(n: int, steps: int) -> int:
    """n (n-1) ... with `steps` factors."""
    return prod(range(n - steps + 1, n + 1))
