"""Families of directions whose even moments come close to those of the sphere.

A depth-2 network sums ridge profiles along many directions; how well such a sum can follow a function of ||x|| is
decided by the moments sum_u <u, x>^(2j), j <= k. Safran, Eldan & Shamir (2019, proof of Theorem 1) take all exponents
at once; here every family is small, structured, and its moments are known exactly:

    (1), (11), (111), ...    orbits under permutations and signs of the coordinates, any dimension
    code                     a thinned cube: the rows of a binary linear code with the even moments of the whole cube
                             up to 2k. Columns greedily (the lexicodes of Conway & Sloane 1986; for k = 3 and up to
                             24 coordinates this is the Golay code) or of a BCH code (x, x^3, ..., x^(2k-1)),
                             whichever has fewer rows
    equiangular              dimension 2: k + 1 lines, the fewest possible
    icosahedral              dimension 3: 6, 16 or 31 axes of the icosahedron
    600-cell                 dimension 4: 60 axes through its vertices, exact up to k = 5; with the 300 through its
                             cells up to k = 9 (orbits of the reflection group H_4, whose invariants have the degrees
                             2, 12, 20 and 30: Coxeter 1948)
    product                  dimensions 3 and 4 (there from k = 6 on: before, the 600-cell is smaller): Gauss-Gegenbauer
                             in the heights times equal angles (Stroud 1971)

Nothing needs to be exact: the program that uses a family pays for what its moments miss, and the checker counts
again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import roots_gegenbauer

from depthsep.networks import CodeCube, Directions, ExplicitDirections, Orbit
from depthsep_check import directions as exact
from depthsep_check.document import CodeDirections, OrbitDirections

__all__ = ["Family", "families", "moments_of_sphere", "sum_of", "thinned_cube"]

Floats = NDArray[np.float64]
_Vectors = list[tuple[float, ...]]

MAX_BITS = 22  # a code of 2^22 directions is the largest that is tried
_LARGEST_OF_ORBITS = {3: 6, 4: 5}  # k from where on other families are the smaller ones
_GOLDEN = (1 + math.sqrt(5)) / 2


@dataclass(frozen=True)
class Family:
    """Groups of directions in one dimension, to be used with polynomials of degree 2 * degree.

    Args:
        name: How it is shown.
        dim: The dimension.
        degree: k; moments of degree up to 2k are used.
        groups: The sets of directions.
    """

    name: str
    dim: int
    degree: int
    groups: tuple[Directions, ...]

    @cached_property
    def counts(self) -> Floats:
        """The number of directions of every group."""
        return np.array([float(group.count) for group in self.groups])

    @cached_property
    def lengths(self) -> Floats:
        """The length of the longest direction of every group."""
        return np.array([math.sqrt(group.norm_squared) for group in self.groups])

    @cached_property
    def cancelling(self) -> tuple[bool, ...]:
        """Which groups have directions that add up to 0, so that kinks at 0 leave no linear term."""
        return tuple(bool(np.abs(sum_of(group)).max() < 1e-12) for group in self.groups)

    @cached_property
    def sphere_moments(self) -> Floats:
        """The means of u_1^(2j) over the unit sphere, j = 0..degree."""
        return moments_of_sphere(self.dim, self.degree)

    @cached_property
    def moment_rows(self) -> list[tuple[int, Floats]]:
        """Rows (j, ratios): for one monomial of degree 2j, every group's moment over that of the sphere."""
        if all(isinstance(group, ExplicitDirections) for group in self.groups):
            columns = [_explicit_ratios(np.array(g.vectors), self.degree) for g in self.groups]  # type: ignore[attr-defined]
        else:
            columns = [_symmetric_ratios(group, self.dim, self.degree) for group in self.groups]
        rows = {(j, *np.round(ratios, 12)): (j, np.array(ratios)) for (j, *_), *ratios in _aligned(columns)}
        return list(rows.values())

    def shared(self) -> SharedFamily | None:
        """The same unit vectors as one group, each set with its weight in a cubature; None without positive weights."""
        if len(self.groups) == 1 or not all(isinstance(group, ExplicitDirections) for group in self.groups):
            return None
        ratios = np.array([ratios for _, ratios in self.moment_rows])
        weights = nnls(ratios, np.ones(len(ratios)))[0]
        if weights.min() <= 0:
            return None
        together = ExplicitDirections(tuple(v for group in self.groups for v in group.vectors))  # type: ignore[attr-defined]
        name = f"{self.name}, one profile"
        return SharedFamily(name, self.dim, self.degree, (together,), self, tuple(weights / weights.sum()))


@dataclass(frozen=True)
class SharedFamily(Family):
    """Several sets of unit vectors with one profile, which is scaled for each set: one group for programs.

    Args:
        parts: The family whose sets these are.
        weights: The share of the profile that each set has, positive; the sum is 1.
    """

    parts: Family
    weights: tuple[float, ...]

    @cached_property
    def cancelling(self) -> tuple[bool, ...]:
        """Whether kinks at 0 leave no linear term."""
        return (all(self.parts.cancelling),)

    @cached_property
    def moment_rows(self) -> list[tuple[int, Floats]]:
        """The rows of the parts, weighted."""
        rows = {(j, round(float(ratios @ self.weights), 12)) for j, ratios in self.parts.moment_rows}
        return [(j, np.array([ratio])) for j, ratio in sorted(rows)]


def moments_of_sphere(dim: int, degree: int) -> Floats:
    """The means of u_1^(2j) over the unit sphere, j = 0..degree."""
    steps = [(2 * j + 1) / (dim + 2 * j) for j in range(degree)]
    return np.array(np.cumprod([1.0, *steps]), dtype=np.float64)


def families(dim: int, degree: int, largest: float = math.inf) -> Iterator[Family]:
    """Yield the families worth trying for polynomials of degree 2 * degree.

    Args:
        dim: The dimension.
        degree: k >= 1.
        largest: Families with more directions than this are left out.
    """
    for name, groups in _candidates(dim, degree):
        if sum(group.count for group in groups) <= largest:
            yield Family(name, dim, degree, groups)


def _candidates(dim: int, degree: int) -> Iterator[tuple[str, tuple[Directions, ...]]]:
    if dim == 2:
        yield f"{degree + 1} equiangular lines", (_equiangular(degree + 1),)
        return
    if dim == 3:
        yield from _icosahedral(degree)
    if dim == 4:
        yield from _hypericosahedral(degree)
    if dim == 3 or (dim == 4 and degree > 5):
        yield f"product rule of degree {degree}", _product_rule(dim, degree)
    if degree > _LARGEST_OF_ORBITS.get(dim, degree):
        return
    generators = [g for g in _generators(degree) if len(g) <= dim]
    orbits = tuple(Orbit(generator, dim) for generator in generators)
    names = ["(" + "".join(map(str, generator)) + ")" for generator in generators]
    yield " + ".join(names), orbits
    code = thinned_cube(dim, degree)
    if degree >= 2 and dim >= 3 and code is not None:
        for sparse in range(1, min(2, len(orbits)) + 1):
            yield f"{' + '.join(names[:sparse])} + code of {code.count} rows", (*orbits[:sparse], code)


def _generators(degree: int) -> list[tuple[int, ...]]:
    """Orbits enough for exact moments: one for every partition of k (a few for large k)."""
    sparse: list[tuple[int, ...]] = [(1,), (1, 1), (1, 1, 1), (2, 1), (1, 1, 1, 1), (2, 1, 1)]
    return sparse[: (1, 2, 3, 5, 6)[min(degree, 5) - 1]]


@lru_cache(maxsize=64)
def thinned_cube(dim: int, degree: int) -> CodeCube | None:
    """The smallest code found whose even moments up to 2 * degree are those of the cube, or None beyond MAX_BITS."""
    options = [columns for columns in (_lexicode(dim, degree), _bch(dim, degree)) if columns is not None]
    if not options:
        return None
    columns = min(options, key=lambda c: max(c).bit_length())
    bits = max(max(columns).bit_length(), 1)
    if bits > MAX_BITS:
        return None
    # Sums of evenly many columns do not change when all are shifted; without a zero column the directions add up to 0.
    unused = next((shift for shift in range(2**bits) if shift not in set(columns)), 0)
    return CodeCube(bits, tuple(column ^ unused for column in columns))


def _lexicode(dim: int, degree: int) -> list[int] | None:
    """Take always the least column that is no sum of 1, 3, ..., 2k - 1 of those before."""
    if dim > 512:
        return None
    size = 2 ** min(MAX_BITS - 4, degree * max(1, (dim - 1).bit_length()), dim)
    places = np.arange(size)
    sums = np.zeros((2 * degree, size), dtype=bool)  # sums[j]: the sums of j columns
    sums[0, 0] = True
    columns: list[int] = []
    while len(columns) < dim:
        free = np.flatnonzero(~sums[1::2].any(axis=0))
        if not len(free):
            return None
        columns.append(int(free[0]))
        shifted = places ^ columns[-1]
        for j in range(2 * degree - 1, 0, -1):
            sums[j] |= sums[j - 1, shifted]
    return columns


# Primitive polynomials over GF(2), bit m set included, by their degree m.
_PRIMITIVE = (1, 3, 7, 11, 19, 37, 67, 137, 285, 529, 1033, 2053)


def _bch(dim: int, degree: int) -> list[int] | None:
    """Columns (x, x^3, ..., x^(2k-1)) for the first `dim` elements x of GF(2^m)."""
    bits = max(1, (dim - 1).bit_length())
    if bits >= len(_PRIMITIVE) or degree * bits > MAX_BITS:
        return None

    def times(a: int, b: int) -> int:
        result = 0
        while b:
            result ^= a if b & 1 else 0
            a, b = a << 1, b >> 1
            a ^= _PRIMITIVE[bits] if a >> bits else 0
        return result

    columns = []
    for x in range(dim):
        power, column = x, x
        for part in range(1, degree):
            power = times(power, times(x, x))
            column |= power << (part * bits)
        columns.append(column)
    return columns


def _equiangular(count: int) -> ExplicitDirections:
    """`count` lines at equal angles; oddly many directions are spread over the circle, so that they add up to 0."""
    turn = 2 if count % 2 else 1
    angles = [turn * math.pi * i / count for i in range(count)]
    return ExplicitDirections(tuple((math.cos(a), math.sin(a)) for a in angles))


def _icosahedral(degree: int) -> Iterator[tuple[str, tuple[Directions, ...]]]:
    """The axes through vertices (6), faces (10) and edges (15) of the icosahedron."""
    g = _GOLDEN
    vertices: _Vectors = [p for s in (1, -1) for p in ((0, 1, s * g), (1, s * g, 0), (s * g, 0, 1))]
    faces: _Vectors = [(1, s, t) for s, t in product((1, -1), repeat=2)]
    faces += [p for s in (1, -1) for p in ((0, g, s / g), (g, s / g, 0), (s / g, 0, g))]
    edges: _Vectors = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    for s, t in product((1, -1), repeat=2):
        a, b, c = g / 2, s / 2, t / (2 * g)
        edges += [(a, b, c), (c, a, b), (b, c, a)]
    sets = tuple(_unit_vectors(axes) for axes in (vertices, faces, edges))
    for used, count in ((1, 6), (2, 16), (3, 31)):
        if degree <= 2 * used + 1:
            yield f"{count} axes of the icosahedron", sets[:used]


def _hypericosahedral(degree: int) -> Iterator[tuple[str, tuple[Directions, ...]]]:
    """The axes through vertices (60) and cells (300) of the 600-cell, the latter the vertices of the 120-cell."""
    g, root = _GOLDEN, math.sqrt(5)
    vertices = [*_arranged((2, 0, 0, 0)), *_arranged((1, 1, 1, 1)), *_arranged((g, 1 / g, 1, 0), even=True)]
    cells = [v for form in ((2, 2, 0, 0), (root, 1, 1, 1), (g, g, g, g**-2), (g**2, 1 / g, 1 / g, 1 / g))
             for v in _arranged(form)]  # fmt: skip
    cells += [v for form in ((g**2, 1, g**-2, 0), (root, g, 1 / g, 0), (2, g, 1, 1 / g))
              for v in _arranged(form, even=True)]  # fmt: skip
    sets = (_unit_vectors(vertices), _unit_vectors(cells))
    for used, count, first, last in ((1, 60, 3, 6), (2, 360, 6, 10)):
        if first <= degree <= last:
            yield f"{count} axes of the 600-cell", sets[:used]


def _arranged(form: tuple[float, ...], even: bool = False) -> _Vectors:
    """All (or all even) permutations with all signs, one of every vector and its negative."""
    found: dict[tuple[float, ...], None] = {}
    for places in permutations(range(len(form))):
        inversions = sum(places[i] > places[j] for i, j in combinations(range(len(form)), 2))
        if even and inversions % 2:
            continue
        for signs in product((1.0, -1.0), repeat=len(form)):
            vector = tuple(s * form[p] + 0.0 for s, p in zip(signs, places, strict=True))
            if tuple(-c + 0.0 for c in vector) not in found:
                found[vector] = None
    return list(found)


def _product_rule(dim: int, degree: int) -> tuple[Directions, ...]:
    """One set for the lines of every height; k + 1 lines on the circle in the end."""
    return tuple(_unit_vectors(lines) for lines in _product_lines(dim, degree))


def _product_lines(dim: int, degree: int) -> list[_Vectors]:
    """At the Gauss heights, times the points, or at height 0 the lines, of the rule one dimension below."""
    if dim == 2:
        return [list(_equiangular(degree + 1).vectors)]
    below, rings = _product_lines(dim - 1, degree), []
    circle = [[(math.cos(a), math.sin(a)) for a in 2 * math.pi * np.arange(2 * degree + 1) / (2 * degree + 1)]]
    points = circle if dim == 3 else [[*ring, *[tuple(-c for c in u) for u in ring]] for ring in below]
    heights = roots_gegenbauer(degree + 1, (dim - 2) / 2)[0]
    for height in heights[heights > 1e-12]:
        radius = math.sqrt(1 - height * height)
        rings += [[(*(radius * c for c in u), height) for u in ring] for ring in points]
    return rings if degree % 2 else [*rings, *([(*u, 0.0) for u in ring] for ring in below)]


def _unit_vectors(vectors: _Vectors) -> ExplicitDirections:
    lengths = [math.sqrt(sum(c * c for c in v)) for v in vectors]
    return ExplicitDirections(tuple(tuple(c / n for c in v) for v, n in zip(vectors, lengths, strict=True)))


def sum_of(directions: Directions) -> Floats:
    """The sum of all directions, in floating point."""
    if isinstance(directions, ExplicitDirections):
        return np.array([math.fsum(column) for column in zip(*directions.vectors, strict=True)])
    return np.array([int(c.p) / int(c.q) for c in exact.representative_sum(_as_stored(directions), directions.dim)])


_Key = tuple[int, tuple[int, ...]]


def _symmetric_ratios(directions: Directions, dim: int, degree: int) -> dict[_Key, float]:
    """By (j, partition of j): the group's moment over that of as many directions, as long, all over the sphere."""
    stored = _as_stored(directions)
    sphere, square = moments_of_sphere(dim, degree), float(directions.norm_squared)
    ratios = {}
    for j, form in enumerate(exact.symmetric_moments(stored, dim, degree)):
        for mu, value in form.items():
            binomial = math.factorial(j) / math.prod(map(math.factorial, mu))
            mean = int(value.p) / int(value.q) / directions.count
            ratios[j, mu] = mean / (square**j * sphere[j] * binomial)
    return ratios


def _as_stored(directions: Directions) -> CodeDirections | OrbitDirections:
    """The symmetric set as the checker's functions know it."""
    if isinstance(directions, CodeCube):
        return CodeDirections(directions.bits, directions.columns)
    if isinstance(directions, Orbit):
        return OrbitDirections(directions.generator)
    raise TypeError("explicit directions do not mix with symmetric ones here")


def _explicit_ratios(vectors: Floats, degree: int) -> dict[_Key, float]:
    dim = vectors.shape[1]
    sphere, square = moments_of_sphere(dim, degree), float((vectors**2).sum(axis=1).max())
    ratios = {}
    for j in range(degree + 1):
        for mu in exact.exponents(j, dim):
            form = math.factorial(2 * j) / math.prod(math.factorial(2 * m) for m in mu)
            binomial = math.factorial(j) / math.prod(map(math.factorial, mu))
            mean = float(np.mean(np.prod(vectors ** (2 * np.array(mu)), axis=1)))
            ratios[j, mu] = form * mean / (square**j * sphere[j] * binomial)
    return ratios


def _aligned(columns: list[dict[_Key, float]]) -> Iterator[tuple[_Key, *tuple[float, ...]]]:
    for key in columns[0]:
        yield key, *(column[key] for column in columns)
