"""What moments up to a degree can never prove, and how many directions an exact identity takes.

Theorem (Chebyshev 1859; de la Vallee Poussin 1910): the even polynomial of degree 2k nearest to phi on [0, 1] is the
one whose error takes its largest size with alternating signs at k + 2 radii, and k + 2 radii with alternating errors
bound the distance E_k(phi) from below.

What is proved here: `moment_limit` finds such radii and has `depthsep_check.theorems.moment_limit` replay that no even
polynomial of degree 2k is nearer, hence that no moment sandwich with one cell and moments up to degree 2k proves a
smaller error. `exact_identity_directions` counts the directions of an exact identity; its proof stands there.
Both limit a method, not networks of depth 2: sandwiches that change with the radius prove smaller errors, and random
directions need fewer of them.

Differences from the source: rational radii, exact weights, a value rounded down instead of the limit of an iteration.
Cost: some dozen linear systems of k + 2 unknowns; the document lists k + 2 rationals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.functions import Radial
from depthsep.lower_bounds.bound import NoBound, verified_document
from depthsep_check import Verdict
from depthsep_check.numbers import precision
from depthsep_check.theorems.moment_limit import MAX_DEGREE, annihilator

__all__ = ["THEOREM", "MomentLimit", "exact_identity_directions", "moment_limit"]

THEOREM = "moment-limit"

Floats = NDArray[np.float64]

_GRID = 2**12
_EXCHANGES = 60
_STARTS = (
    np.pi / 2,
    1.3,
)  # Chebyshev's points for all radii, and for fewer: with the former |r^2 - 1/2| looks constant
_SETTLED = 1e-9  # the iteration stops when the error at the radii is this close to the largest one
_NOISE = 1e-10  # distances below this share of the values are rounding
_BITS = 128
_DIGITS = 6


@dataclass(frozen=True)
class MomentLimit:
    """An error below which no moment sandwich with one cell and moments up to a degree can prove anything.

    This limits a method of proof, not networks of depth 2.

    Args:
        function: The function.
        degree: 2k, the largest degree of the moments.
        limit: The proved bound of the distance from even polynomials of that degree, rounded down.
        radii: k + 2 radii where the nearest polynomial errs with alternating signs, about.
        document: The proof, as the text of a document.
        verdict: What the checker says about the document.
    """

    function: Radial
    degree: int
    limit: Fraction
    radii: tuple[Fraction, ...]
    document: str
    verdict: Verdict


def moment_limit(function: Radial, degree: int) -> MomentLimit | NoBound:
    """Prove what moments up to a degree cannot: an error below the distance of phi from even polynomials.

    Args:
        function: The radial function; phi is continuous on [0, 1].
        degree: The largest degree of the moments, even.

    Returns:
        The limit with its proof; `NoBound` where phi is an even polynomial of that degree up to rounding.

    Raises:
        BadInput: The degree is odd, negative or above 100.

    Example:
        >>> limit = moment_limit(Radial("1 - r", dim=10), degree=4)
        >>> float(limit.limit), limit.verdict.ok
        (0.0676208, True)
        >>> moment_limit(Radial("r^4", dim=10), degree=4).reason
        'the profile is an even polynomial of degree 4, up to rounding: moments of that degree are no obstacle'
        >>> moment_limit(Radial("1 - r", dim=10), degree=3)
        Traceback (most recent call last):
        depthsep.errors.BadInput: the limit of moments up to degree 3
        ...
    """
    if not 0 <= degree <= MAX_DEGREE or degree % 2:
        asked = f"the limit of moments up to degree {degree}"
        raise BadInput(asked, needed=f"an even degree between 0 and {MAX_DEGREE}")
    indices, distance, size = max((_alternation(function, degree // 2, end) for end in _STARTS), key=lambda a: a[1])
    radii = tuple(Fraction(index, _GRID) for index in indices)
    limit = _rounded_down(_proved_distance(function, radii)) if distance > _NOISE * size else Fraction(0)
    if limit <= 0:
        reason = f"the profile is an even polynomial of degree {degree}, up to rounding"
        return NoBound(THEOREM, f"{reason}: moments of that degree are no obstacle")
    words = {"domain": "unit-ball", "norm": "sup", "method": "moment-sandwich"}
    claim = {"kind": THEOREM, **words, "dim": function.dim, "cells": 1, "degree": degree, "limit": str(limit)}
    document, verdict = verified_document(
        f"the limit {limit} of moments up to degree {degree}",
        function.to_json(),
        claim,
        {"kind": "alternation-radii", "radii": [str(radius) for radius in radii]},
    )
    return MomentLimit(function, degree, limit, radii, document, verdict)


def exact_identity_directions(dim: int, degree: int) -> int:
    """Count the directions that every exact identity sum_i w_i <u_i, x>^(2k) = ||x||^(2k) has at least: C(d+k-1, k).

    The weights are real and may be negative. *Proof* (the catalecticant). For a form h of degree k let h(D) be the
    differential operator with D_j in the place of x_j, and apply it to both sides. On the left the result is
    (2k)!/k! sum_i w_i h(u_i) <u_i, x>^k, so the linear map from h to it has a rank of at most the number of directions.
    On the right it is injective: the mean of <u, x>^(2k) over the sphere is c ||x||^(2k) with c > 0, and the
    operator h(D)^2 takes <u, x>^(2k) to (2k)! h(u)^2, hence ||x||^(2k) to (2k)!/c times the mean of h(u)^2, which is
    positive unless h = 0. So the rank is the dimension C(d+k-1, k) of the forms of degree k. QED

    It limits exact identities, not networks of depth 2: those need no identity.

    Args:
        dim: d.
        degree: 2k, even.

    >>> exact_identity_directions(2, 4), exact_identity_directions(3, 4), exact_identity_directions(10, 4)
    (3, 6, 55)
    """
    if dim < 1 or degree < 0 or degree % 2:
        asked = f"the directions of an exact identity of degree {degree} in dimension {dim}"
        raise BadInput(asked, needed="a dimension of at least 1 and an even degree that is not negative")
    return math.comb(dim + degree // 2 - 1, degree // 2)


def _alternation(function: Radial, k: int, end: float) -> tuple[list[int], float, float]:
    """Remez exchange on a grid of radii: the indices, about the distance, and the size of the values."""
    radii = np.arange(_GRID + 1) / _GRID
    basis, values = np.polynomial.chebyshev.chebvander(2 * radii**2 - 1, k), function.profile(radii)
    chosen = np.round(np.sin(np.linspace(0, end, k + 2)) * _GRID).astype(int)
    signs = (-1.0) ** np.arange(k + 2)
    best, best_distance = chosen, 0.0
    for _ in range(_EXCHANGES):
        solution = np.linalg.solve(np.column_stack([basis[chosen], signs]), values[chosen])
        distance = abs(float(solution[-1]))
        if distance > best_distance:
            best, best_distance = chosen, distance
        errors = values - basis @ solution[:-1]
        if np.abs(errors).max() <= distance * (1 + _SETTLED):
            break
        chosen = _exchanged(errors, k + 2)
        if len(chosen) < k + 2:
            break
    return best.tolist(), best_distance, float(np.abs(values).max())


def _exchanged(errors: Floats, count: int) -> NDArray[np.intp]:
    """The largest error of every run of one sign; of too many runs those at the ends go, the smaller one first."""
    starts = np.flatnonzero(np.diff(np.sign(errors)) != 0) + 1
    runs = np.split(np.arange(len(errors)), starts)
    peaks = [run[np.argmax(np.abs(errors[run]))] for run in runs if errors[run[0]] != 0]
    first, last = 0, len(peaks)
    while last - first > count:
        if abs(errors[peaks[first]]) < abs(errors[peaks[last - 1]]):
            first += 1
        else:
            last -= 1
    return np.array(peaks[first:last])


def _proved_distance(function: Radial, radii: tuple[Fraction, ...]) -> Fraction:
    """The lower end of the theorem's value at these radii."""
    with precision(_BITS):
        points = [fmpq(radius.numerator, radius.denominator) for radius in radii]
        weights = annihilator([point * point for point in points])
        values = [function.expression.ball(arb(point), function.dim) for point in points]
        total = sum((w * v for w, v in zip(weights, values, strict=True)), arb(0))
        lower = (abs(total) / arb(sum((abs(w) for w in weights), fmpq(0)))).abs_lower()
        if not lower.is_finite():
            return Fraction(0)
        exact = lower.fmpq()
        return Fraction(int(exact.p), int(exact.q))


def _rounded_down(value: Fraction) -> Fraction:
    """The largest decimal of six digits that is below a nonnegative value."""
    if value <= 0:
        return Fraction(0)
    unit = Fraction(10) ** (math.floor(math.log10(value)) - _DIGITS + 1)
    return math.floor(value / unit) * unit
