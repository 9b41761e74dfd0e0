"""Exact cubature identities: a power of ||x||^2 as a combination of the same power of ridges.

Theorem (Hilbert 1909; for orbits of the hyperoctahedral group after Sobolev 1962): for all d and k there are finitely
many integer vectors u_i and rational w_i with

    sum_i w_i <u_i, x>^(2k) = ||x||^(2k)  for all real x.

What is built here: one for every d and k, with one weight for each symmetric set of directions. The coefficient of
m_mu(x_1^2, ..., x_d^2), m_mu the monomial symmetric function of a partition mu of k, is A_mu on the left for every
set (`depthsep_check.directions`) and k! / prod mu_i! on the right: one linear equation for each partition into at most
d parts, solved in exact rationals. The sets are orbits of sparse integer vectors. An orbit of s nonzero places has
A_mu = 0 for more than s parts, so the system is triangular in blocks: for every number of parts as many orbits of that
many places are taken, smallest entries first, as there are partitions, with a regular block. The weights are unique;
most have both signs. Other sets, such as the thinned cube whose weights are positive, can be given.

Theorem 3 of Safran, Eldan & Shamir (2019, arXiv:1904.06984) is about networks for ||x||^(2k). With an identity such a
network is one univariate fit of z^(2k) for each set of directions, and a polynomial in ||x||^2 takes one identity of
each degree, along the same directions: `polynomial_radial` builds them.

Differences from the source: explicit and exact. Cost: about 2^(k-1) C(d, k) directions, where every identity takes
C(d+k-1, k) (`depthsep.lower_bounds.moment_limits`); one rational system, of 7 equations at degree 10, 77 at degree 24.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, count
from math import factorial, gcd, prod

from flint import fmpq, fmpq_mat

from depthsep.errors import BadInput
from depthsep.networks import CodeCube, Orbit
from depthsep_check import directions as exact
from depthsep_check.document import CodeDirections, OrbitDirections
from depthsep_check.verdict import Budget, CheckFailure

__all__ = ["Identity", "exact_cubature", "group_form", "sparse_orbits"]

MAX_DEGREE = 24
_WORK = 200_000


@dataclass(frozen=True)
class Identity:
    """The identity sum over groups of weight * sum over their directions u of <u, x>^degree = ||x||^degree.

    Args:
        dim: The dimension of x.
        degree: 2k.
        groups: The symmetric sets of directions.
        weights: One for each group, not 0.
    """

    dim: int
    degree: int
    groups: tuple[Orbit | CodeCube, ...]
    weights: tuple[Fraction, ...]

    @property
    def directions(self) -> int:
        """The number of directions, one of each pair u, -u for an orbit."""
        return sum(group.count for group in self.groups)

    @property
    def positive(self) -> bool:
        """Whether all weights are positive, which makes it a cubature formula in the usual sense."""
        return all(weight > 0 for weight in self.weights)


def exact_cubature(dim: int, degree: int, groups: Sequence[Orbit | CodeCube] | None = None) -> Identity:
    """Write ||x||^degree as a rational combination of <u, x>^degree.

    Args:
        dim: The dimension, at least 1.
        degree: An even degree from 2 to 24.
        groups: Sets of directions in this dimension; sparse orbits if not given. What is not needed is left out.

    Raises:
        BadInput: The degree is not of that kind, a code has not the moments that are needed, or no combination of the
            given groups is an identity.

    Example:
        >>> identity = exact_cubature(10, 4)
        >>> [group.generator for group in identity.groups], [str(weight) for weight in identity.weights]
        ([(1,), (1, 1)], ['-2', '1/6'])
        >>> exact_cubature(10, 4, [Orbit((1,), 10)])
        Traceback (most recent call last):
        depthsep.errors.BadInput: an exact identity of degree 4 in dimension 10
        ...
    """
    asked = f"an exact identity of degree {degree} in dimension {dim}"
    if not 2 <= degree <= MAX_DEGREE or degree % 2 or dim < 1:
        raise BadInput(asked, needed=f"a dimension of at least 1 and an even degree from 2 to {MAX_DEGREE}")
    k = degree // 2
    if groups is None:
        groups = [Orbit(generator, dim) for generator in sparse_orbits(k) if len(generator) <= dim]
    if any(group.dim != dim for group in groups):
        raise BadInput(asked, found="directions of another dimension", needed="directions of that dimension")
    forms = [group_form(group, k) for group in groups]
    rows = [[*(form[mu] for form in forms), _multinomial(mu)] for mu in exact.partitions(k, dim)]
    weights = _solution(rows)
    if weights is None:
        raise BadInput(
            asked,
            found=f"{len(groups)} sets of directions, no combination of which has the moments of ||x||^{degree}",
            needed=f"one for each of the {len(rows)} partitions of {k} into at most {dim} parts, and different enough",
            do="leave the sets out: sparse orbits are then chosen",
        )
    used = [(group, weight) for group, weight in zip(groups, weights, strict=True) if weight]
    return Identity(dim, degree, tuple(group for group, _ in used), tuple(weight for _, weight in used))


def sparse_orbits(k: int) -> list[tuple[int, ...]]:
    """Choose generators whose orbits carry an identity of degree 2k in every dimension, sparse ones first.

    >>> sparse_orbits(4)
    [(1,), (1, 1), (2, 1), (1, 1, 1), (1, 1, 1, 1)]
    """
    return [generator for parts in range(1, k + 1) for generator in _orbits_of(parts, k)]


def _orbits_of(parts: int, k: int) -> list[tuple[int, ...]]:
    """As many generators of `parts` entries as k has partitions into so many parts, with a regular block."""
    partitions = [mu for mu in exact.partitions(k, parts) if len(mu) == parts]
    chosen: list[tuple[int, ...]] = []
    block: list[list[fmpq]] = []
    for generator in _generators(parts):
        moments = exact.symmetric_moments(OrbitDirections(generator), parts, k)[k]
        candidate = [*block, [moments[mu] for mu in partitions]]
        if fmpq_mat(candidate).rref()[1] == len(candidate):
            chosen, block = [*chosen, generator], candidate
        if len(chosen) == len(partitions):
            break
    return chosen


def _generators(parts: int) -> Iterator[tuple[int, ...]]:
    """All nonincreasing positive integers without a common divisor, by their largest entry, then their sum."""
    for largest in count(1):
        smaller = combinations_with_replacement(range(largest, 0, -1), parts - 1)
        found = [(largest, *rest) for rest in smaller if gcd(largest, *rest) == 1]
        yield from sorted(found, key=sum)


def group_form(group: Orbit | CodeCube, k: int) -> dict[tuple[int, ...], fmpq]:
    """The coefficients of sum_u <u, x>^(2k) over the directions of a group, by partitions of k.

    Raises:
        BadInput: A code has not the even moments of the whole cube up to this degree.
    """
    if isinstance(group, Orbit):
        return exact.symmetric_moments(OrbitDirections(group.generator), group.dim, k)[k]
    code = CodeDirections(group.bits, group.columns)
    try:
        exact.require_strength(code, k, "code", Budget(_WORK))
    except CheckFailure as failure:
        raise BadInput(
            f"the moments of degree {2 * k} of a code", found=failure.text, needed="those of the whole cube"
        ) from None
    return exact.symmetric_moments(code, group.dim, k)[k]


def _multinomial(mu: tuple[int, ...]) -> fmpq:
    """The coefficient of m_mu(x^2) in ||x||^(2k)."""
    return fmpq(factorial(sum(mu)), prod(map(factorial, mu)))


def _solution(rows: list[list[fmpq]]) -> list[Fraction] | None:
    """Solve a linear system given with its right side; the free unknowns are 0. None where there is no solution."""
    reduced, rank = fmpq_mat(rows).rref()
    unknowns = len(rows[0]) - 1
    solution = [Fraction(0)] * unknowns
    for i in range(rank):
        pivot = next(j for j in range(unknowns + 1) if reduced[i, j] != 0)
        if pivot == unknowns:
            return None
        value = reduced[i, unknowns]
        solution[pivot] = Fraction(int(value.p), int(value.q))
    return solution
