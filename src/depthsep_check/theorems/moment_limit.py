"""Check of a limit of the moment method: what even moments up to a degree can never prove about a profile.

Theorem (after Chebyshev 1859 and de la Vallee Poussin 1910, for even polynomials). Let 0 <= r_0 < ... < r_{k+1} <= 1,
s_i = r_i^2 and w_i = 1 / prod_{j != i} (s_i - s_j). Then every even polynomial P of degree at most 2k has

    max over [0, 1] of |phi - P|  >=  |sum_i w_i phi(r_i)| / sum_i |w_i|.

*Proof.* sum_i w_i q(s_i) is the divided difference of q, which is 0 for polynomials of degree at most k in s; hence
sum_i w_i phi(r_i) = sum_i w_i (phi - P)(r_i), at most max |phi - P| times sum_i |w_i|. QED
Up to a factor no other measure on these points annihilates 1, r^2, ..., r^(2k), and its signs alternate.

Consequence. In a moment sandwich (`depthsep_check.moment_sandwich`) with one cell, polynomials of degree at most 2k and
the error eps, (C1) and (C2) give P^-(r) <= P^+(r) on [0, 1]: both bound sums over the same directions, from opposite
sides. So (C3) says phi - eps <= b + P^- <= b + P^+ <= phi + eps, and b + P^+ is an even polynomial within eps of phi:
eps is at least the bound above, whatever the directions, the profiles, their width and the activation.

This limits a method of proof. Networks of depth 2 may well be nearer, and several cells may prove it.

What is checked: the radii increase within [0, 1], there are k + 2 of them; the weights are computed here, exactly, and
the values of phi are balls.
Cost: k^2 operations on rationals of bounded size, and k + 2 evaluations of phi.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from flint import arb, fmpq

from depthsep_check.document import MAX_DIM, TheoremDocument
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.theorems.profiles import read_expression, value_at
from depthsep_check.verdict import Malformed, Refuted

STEP = "moment limit"
MAX_DEGREE = 100
MAX_DENOMINATOR = 2**40


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    degree: int
    limit: fmpq


def check(document: TheoremDocument) -> str:
    """Replay the proof of a limit.

    Returns:
        The proved sentence.

    Raises:
        Refuted: these radii do not certainly give the limit, or the profile has no certain value at one of them.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
    """
    claim = _claim(document.claim)
    expression = read_expression(document.function, "radial", "r", claim.dim)
    radii = _radii(document.witness, claim.degree)
    weights = annihilator([r * r for r in radii])
    values = [value_at(expression, r, claim.dim, STEP) for r in radii]
    total = sum((w * v for w, v in zip(weights, values, strict=True)), arb(0))
    size = sum((abs(w) for w in weights), fmpq(0))
    if not abs(total) >= arb(claim.limit * size):
        limit = format_rational(claim.limit)
        raise Refuted(STEP, f"these radii do not certainly keep even polynomials at a distance of {limit}")
    return (
        f"every even polynomial of degree at most {claim.degree} is somewhere on [0, 1] at least "
        f"{format_rational(claim.limit)} away from phi(r) = {expression.text} (dimension {claim.dim}), so no moment "
        f"sandwich with one cell and moments up to that degree proves a smaller error for f(x) = phi(||x||) on the "
        f"unit ball; this limits the method of proof, not networks of depth 2"
    )


def annihilator(points: list[fmpq]) -> list[fmpq]:
    """The weights 1 / prod_{j != i} (s_i - s_j) of distinct points.

    >>> annihilator([fmpq(0), fmpq(1, 2), fmpq(1)])
    [2, -4, 2]
    """
    return [1 / prod((s - t for t in points if t != s), start=fmpq(1)) for s in points]


def _claim(value: Any) -> _Claim:
    words = {"domain": ("unit-ball",), "norm": ("sup",), "method": ("moment-sandwich",)}
    fields = fields_of(value, "claim", ("kind", *words, "dim", "cells", "degree", "limit"))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", known)
    integer(fields["cells"], "claim.cells", 1, 1)
    degree = integer(fields["degree"], "claim.degree", 0, MAX_DEGREE)
    if degree % 2:
        raise Malformed("claim.degree", f"must be even, found {degree}")
    limit = parse_rational(fields["limit"], "claim.limit")
    if limit <= 0:
        raise Malformed("claim.limit", "must be positive")
    return _Claim(integer(fields["dim"], "claim.dim", 1, MAX_DIM), degree, limit)


def _radii(value: Any, degree: int) -> tuple[fmpq, ...]:
    fields = fields_of(value, "witness", ("kind", "radii"))
    word(fields["kind"], "witness.kind", ("alternation-radii",))
    radii = item_list(fields["radii"], "witness.radii", MAX_DEGREE // 2 + 2, parse_rational)
    require_length(radii, "witness.radii", degree // 2 + 2)
    if not (radii[0] >= 0 and radii[-1] <= 1 and all(a < b for a, b in pairwise(radii))):
        raise Malformed("witness.radii", "must increase strictly within [0, 1]")
    if any(r.q > MAX_DENOMINATOR for r in radii):
        raise Malformed("witness.radii", f"denominators of at most {MAX_DENOMINATOR} are allowed")
    return radii
