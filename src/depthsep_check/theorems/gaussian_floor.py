"""Check of the Gaussian floor: what no network with one hidden layer and a linear output can learn of a ball.

**Theorem.** Let x ~ N(0, I_d), d >= 2, f = 1 where ||x|| <= R and 0 elsewhere, and let N be an affine function of x
plus sum_j g_j(<v_j, x>) with at most w distinct lines span(v_j) (so any activations, any weights, any training, at most
w units), each g_j(<v_j, x>) of finite variance. Then

    E (N(x) - f(x))^2  >=  sum_{m >= 1} a_m^2 tail_m(w),

where a_m^2 = ||P_2m f||^2 is the energy of f in Hermite degree 2m and tail_m(w) the share of the squared eigenvalues of
the m|m flattening of E u^(x)2m, u uniform on the sphere, that is left when the w largest are taken away.

*Proof.* Hermite degrees are orthogonal, so the error is at least the sum over the degrees 2m >= 2, where affine
functions have no part. The degree-n chaos is isometric to the symmetric tensors of order n, and the degree-n part of
g(<v, x>), |v| = 1, is a multiple of v^(x)n (Mehler: <h_n(<u,.>), h_n(<v,.>)> = <u, v>^n). f is radial, so its part of
degree 2m is a multiple of T_m = E u^(x)2m. Read tensors of order 2m as matrices with d^m rows and columns; this keeps
the norm, N's part gets a rank <= w, and by Eckart and Young (1936) it misses at least the squared singular values of
T_m beyond the w largest. QED

*Eigenvalues.* T_m = A A^T for A g = E g(u) u^(x)m, so its nonzero eigenvalues are those of the kernel <u, v>^m on the
sphere. By Funk and Hecke they are, for j = m, m-2, ... >= 0 with the multiplicity dim H_j of the harmonics of degree j,

    l_j = E t^m P_j(t) = m! Gamma(d/2) / (2^m ((m-j)/2)! Gamma((m+j+d)/2)),      t = <u, v>,

so that l_{j+2} / l_j = (m-j)/(m+j+d) < 1: they fall with j, and the largest come first without sorting. With
e_n = E t^2n = e_{n-1} (2n-1)/(d+2n-2) the sum of all squares is e_m, and the first eigenvalue, of j = 0 (m even) or
j = 1 (m odd), is e_ceil(m/2).

*Energies.* With a = d/2 and U = R^2/2 the variable ||x||^2/2 has the Gamma(a) law, the radial functions of degree 2m
are the multiples of the Laguerre polynomial L_m^(a-1), and by Rodrigues' formula

    a_m^2 = [U^a e^-U L_{m-1}^(a)(U) / (m Gamma(a))]^2 / binomial(m+a-1, m).

*Degrees beyond the last one computed, M.* They hold the energy F(1-F) - sum_{m<=M} a_m^2, F = P(||x|| <= R). The w
largest squares of degree 2m are at most w e_ceil(m/2)^2, so tail_m(w) >= 1 - w q_m with q_m = e_ceil(m/2)^2 / e_m. And
q_{m+2} <= q_m: with m = 2n or 2n-1 the quotient is ((2n+1)/(2n+d))^2 (d+2m)(d+2m+2) / ((2m+1)(2m+3)), which falls in d
because 2m >= 2n, and is 1 at d = 1. So the share 1 - w max(q_{M+1}, q_{M+2}), if positive, is safe for all of them.

*The median radius.* U is then not rational. For a rational U0 near it let f0 be the indicator of ||x||^2/2 <= U0. Then
||f - f0||^2 = |P(||x||^2/2 <= U0) - 1/2|, and by the triangle inequality
||N - f|| >= ||N - f0|| - ||f - f0||.

Source: depthsep's own (no claim of Safran and Lee 2022 is used); the values are rounded downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

from flint import arb, fmpq

from depthsep_check.document import MAX_WIDTH, TheoremDocument
from depthsep_check.fields import fields_of, integer, word
from depthsep_check.numbers import format_rational, parse_rational, precision
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "gaussian-floor"
MAX_DIM = 10_000
MAX_DEGREES = 2000
MAX_RADIUS = 1_000_000
_WORK = 2_000_000
_BITS = 128


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    width: int
    floor: fmpq


def check(document: TheoremDocument) -> str:
    """Replay the proof of a floor.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the claimed number is not certainly below the floor of the theorem.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word of the claim is not known here.
        Exhausted: the eigenvalues are too many.
    """
    radius = _radius(document.function)
    claim = _claim(document.claim)
    degrees, half_square = _witness(document.witness, radius)
    floor = squared_error_floor(claim.dim, claim.width, half_square, degrees)
    if radius is None:
        floor = moved_to_the_median(floor, claim.dim, half_square)
    if not arb(claim.floor) < floor:
        shown = format_rational(claim.floor)
        raise Refuted(STEP, f"with {degrees} degrees the mean squared error is not certainly above {shown}")
    shown = "the median of ||x||" if radius is None else format_rational(radius)
    return (
        f"E (N(x) - f(x))^2 > {format_rational(claim.floor)} for x ~ N(0, I) in dimension {claim.dim}, f = 1 where "
        f"||x|| <= R and 0 elsewhere, R = {shown}, and every network N of depth 2 with linear output and at most "
        f"{claim.width} units (distinct lines of weight vectors), with any activations of finite variance and any "
        "weights, an affine skip connection allowed"
    )


def _radius(value: Any) -> fmpq | None:
    """The radius of the ball; None for the median."""
    fields = fields_of(value, "function", ("kind", "radius"))
    word(fields["kind"], "function.kind", ("ball",))
    if fields["radius"] == "median":
        return None
    radius = parse_rational(fields["radius"], "function.radius")
    if not 0 < radius <= MAX_RADIUS:
        raise Malformed("function.radius", f"must be positive and at most {MAX_RADIUS}")
    return radius


def _claim(value: Any) -> _Claim:
    words = {
        "measure": "standard-gaussian",
        "error": "mean-squared",
        "activation_class": "any",
        "weight_class": "any",
    }
    fields = fields_of(value, "claim", ("kind", *words, "dim", "depth", "width", "error_floor"))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", (known,))
    integer(fields["depth"], "claim.depth", 2, 2)
    floor = parse_rational(fields["error_floor"], "claim.error_floor")
    if floor <= 0:
        raise Malformed("claim.error_floor", "must be positive")
    dim = integer(fields["dim"], "claim.dim", 2, MAX_DIM)
    return _Claim(dim, integer(fields["width"], "claim.width", 0, MAX_WIDTH), floor)


def _witness(value: Any, radius: fmpq | None) -> tuple[int, fmpq]:
    """The number of degrees, and U or the rational near it."""
    fields = fields_of(value, "witness", ("kind", "degrees", "half_square"))
    word(fields["kind"], "witness.kind", ("hermite-degrees",))
    degrees = integer(fields["degrees"], "witness.degrees", 1, MAX_DEGREES)
    stored = fields["half_square"]
    if (stored is None) == (radius is None):
        raise Malformed("witness.half_square", "must be a rational for the median radius, and null otherwise")
    if radius is not None:
        return degrees, radius * radius / 2
    half_square = parse_rational(stored, "witness.half_square")
    if not 0 < half_square <= MAX_RADIUS**2:
        raise Malformed("witness.half_square", f"must be positive and at most {MAX_RADIUS**2}")
    return degrees, half_square


def squared_error_floor(dim: int, width: int, half_square: fmpq, degrees: int) -> arb:
    """The floor of the theorem for the ball ||x||^2/2 <= half_square, some of it given away where balls are wide.

    Args:
        dim: the dimension d, at least 2.
        width: the number w of lines.
        half_square: U, positive.
        degrees: the number M of degrees that are looked at one by one.
    """
    # The recurrence of the Laguerre polynomials loses less than 1.3 bits a step, and some for a large d.
    with precision(2 * _BITS + 3 * degrees + 2 * dim):
        energies, rest = _energies(dim, half_square, degrees)
    budget = Budget(_WORK)
    moments = _moments(dim, degrees + 2)
    with precision(_BITS):
        floor = arb(0)
        for m, energy in enumerate(energies, 1):
            floor += energy * _tail(dim, m, width, moments, budget)
        share = _not_below_zero(1 - arb(width * max(_first_share(m, moments) for m in (degrees + 1, degrees + 2))))
        return floor + _not_below_zero(rest) * share


def inside_probability(dim: int, half_square: fmpq) -> arb:
    """P(||x||^2/2 <= half_square) for x ~ N(0, I_d)."""
    return arb(half_square).gamma_lower(arb(fmpq(dim, 2)), 1)


def _energies(dim: int, half_square: fmpq, degrees: int) -> tuple[list[arb], arb]:
    """The energies a_1^2, ..., a_M^2, and what is left of the variance of f."""
    a = fmpq(dim, 2)
    u = arb(half_square)
    density = (a * u.log() - u - arb(a).lgamma()).exp()
    before, laguerre, norm = arb(0), arb(1), arb(1)
    energies = []
    for m in range(1, degrees + 1):
        norm *= (m + a - 1) / m
        energies.append((density * laguerre / m) ** 2 / norm)
        before, laguerre = laguerre, ((2 * m - 1 + a - u) * laguerre - (m - 1 + a) * before) / m
    inside = inside_probability(dim, half_square)
    return energies, inside * (1 - inside) - sum(energies, arb(0))


def _moments(dim: int, count: int) -> list[fmpq]:
    """e_0, ..., e_count: the even moments of one coordinate on the sphere."""
    moments = [fmpq(1)]
    for n in range(1, count + 1):
        moments.append(moments[-1] * fmpq(2 * n - 1, dim + 2 * n - 2))
    return moments


def _tail(dim: int, m: int, width: int, moments: list[fmpq], budget: Budget) -> arb:
    """tail_m(width): the share of the squared eigenvalues beyond the largest ones."""
    eigenvalue = arb(moments[(m + 1) // 2])
    taken, left = arb(0), width
    for j in range(m % 2, m + 1, 2):
        budget.spend(STEP)
        multiplicity = _harmonics(dim, j)
        taken += min(left, multiplicity) * eigenvalue**2
        left -= min(left, multiplicity)
        if left == 0:
            return _not_below_zero(1 - taken / moments[m])
        eigenvalue *= fmpq(m - j, m + j + dim)
    return arb(0)


def _harmonics(dim: int, j: int) -> int:
    """The dimension of the harmonic polynomials of degree j in `dim` variables."""
    return comb(dim + j - 1, j) - (comb(dim + j - 3, j - 2) if j >= 2 else 0)


def _first_share(m: int, moments: list[fmpq]) -> fmpq:
    """q_m, the share of one eigenvalue among the largest, squared."""
    return moments[(m + 1) // 2] ** 2 / moments[m]


def _not_below_zero(value: arb) -> arb:
    """A lower bound of a number that is known to be >= 0 and lies in the ball, 0 where the ball says nothing."""
    low = value.lower()
    return low if low > 0 else arb(0)


def moved_to_the_median(floor: arb, dim: int, half_square: fmpq) -> arb:
    """The floor for the ball of probability 1/2, from that for the ball ||x||^2/2 <= half_square near it."""
    with precision(2 * _BITS + 2 * dim):
        distance = abs(inside_probability(dim, half_square) - fmpq(1, 2)).sqrt()
        root = floor.sqrt() - distance
        return root**2 if root > 0 else arb(0)
