"""Check of lower bounds on the path norm of depth-2 networks near a radial function, by a signed measure on the radii.

N(x) = c + <l, x> + sum_j u_j s_j(<w_j, x> + b_j) with activations s_j whose derivatives have total variation at most T
(ReLU, softplus: 1), f(x) = phi(||x||), and |N - f| <= eps on the closed unit ball of R^d.

**Theorem.** Let eta put masses m_k on finitely many radii 0 < rho_k <= 1, sum_k m_k = 0, and let u be uniform on the
sphere. Then

    sum_j |u_j| |w_j|  >=  (|sum_k m_k phi(rho_k)| - eps sum_k |m_k|) / (T sup_{0 <= beta <= 1} |Psi(beta)|),
    Psi(beta) = sum_k m_k E |rho_k u_1 - beta| / 2.

*Proof.* Integrate f - N over the spheres of radius rho_k with the masses m_k. The part of f and the error give the
numerator, at most; c and <l, x> give 0 because the masses add up to 0. On the bounded range of its argument write
s(z) = affine + int |z - q|/2 ds'(q). The affine part gives 0 again, and with a = |w| and beta = |b - q|/a one has
E |rho a u_1 + b - q|/2 = a E |rho u_1 - beta|/2, as u_1 is symmetric; for beta >= 1 this is a beta/2 at every rho and
gives 0. So every unit gives at most |u_j| |w_j| T sup |Psi|. QED

*Psi, exactly.* E |rho u_1 - beta|/2 = E (rho u_1 - beta)_+ + beta/2, so that

    Psi(beta) = sum over rho_k > beta of m_k rho_k k(beta/rho_k),    k(x) = int_x^1 (v - x) Z (1 - v^2)^((d-3)/2) dv.

For odd d >= 3 k is a polynomial of degree d - 1 with rational coefficients, and Psi one between neighbouring radii;
that |Psi| stays below a rational number is proved by exact Bernstein coefficients.

*Smaller dimensions.* The restriction of N to a subspace has inner weights that are no longer, and f restricted is the
same phi of the norm. So a proof in an odd dimension 3 <= d' <= d (d' = d - 1 for even d) is one in dimension d.

*Width.* If no entry of w_j and no u_j is larger than B in size, |u_j| |w_j| <= B^2 sqrt(d), so there are at least
V / (B^2 sqrt(d)) units, V the bound on the path norm. The biases b_j are free.

Source: duality of this kind is classical (Barron 1993, Bach 2017); this form is depthsep's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, fmpq, fmpq_poly

from depthsep_check.document import MAX_DIM, MAX_WIDTH, TheoremDocument
from depthsep_check.expression import Expression
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.polynomials import negative_point
from depthsep_check.theorems.profiles import read_expression, value_at
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "radial-dual"
MAX_PROOF_DIM = 101
MAX_RADII = 128
MAX_RADIUS_TERM = 4096  # the polynomials have powers of the radii in their denominators
_WORK = 200_000


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    eps: fmpq
    variation: fmpq
    path_norm: fmpq
    max_weight: fmpq | None
    width: int | None


@dataclass(frozen=True, slots=True)
class RadialMeasure:
    """Masses that add up to 0 on radii that increase strictly in (0, 1]; the proof runs in dimension `dim`, odd."""

    dim: int
    radii: tuple[fmpq, ...]
    masses: tuple[fmpq, ...]


def check(document: TheoremDocument) -> str:
    """Replay the proof of a lower bound.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the claim does not follow from the measure.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: the bound on Psi is too close to its maximum to be decided.
    """
    claim = _claim(document.claim)
    expression = read_expression(document.function, "radial", "r", claim.dim)
    measure = _measure(document.witness, claim.dim)
    gain = numerator(expression, claim.dim, measure, claim.eps)
    if not gain > 0:
        raise Refuted(STEP, "the function does not certainly exceed the error on this measure")
    # An overlap of every unit below this number proves the claim.
    limit = gain.lower().fmpq() / (claim.variation * claim.path_norm)
    prove_overlap_below(measure, limit)
    _check_width(claim)
    return _statement(document.function["expression"], claim)


def _statement(text: str, claim: _Claim) -> str:
    variation, eps, shown = map(format_rational, (claim.variation, claim.eps, claim.path_norm))
    width = ""
    if claim.max_weight is not None:
        bound = format_rational(claim.max_weight)
        width = f", hence at least {claim.width} units when no u_j and no entry of w_j is above {bound} in size"
    return (
        "every network c + <l, x> + sum_j u_j s_j(<w_j, x> + b_j) of depth 2, the derivatives of its activations s_j "
        f"of total variation at most {variation}, that is within {eps} of f(x) = phi(||x||), phi(r) = {text} for all "
        f"real x with ||x|| <= 1 in dimension {claim.dim} has the path norm sum_j |u_j| |w_j| >= {shown}{width}"
    )


def numerator(expression: Expression, dim: int, measure: RadialMeasure, eps: fmpq) -> arb:
    """|sum m_k phi(rho_k)| - eps sum |m_k|, where phi may depend on the dimension `dim` of the claim."""
    pairs = zip(measure.radii, measure.masses, strict=True)
    mean = sum((value_at(expression, radius, dim, STEP) * mass for radius, mass in pairs), arb(0))
    return abs(mean) - arb(eps * sum((abs(mass) for mass in measure.masses), fmpq(0)))


def overlap_pieces(measure: RadialMeasure) -> list[tuple[fmpq, fmpq, fmpq_poly]]:
    """Psi as polynomials on neighbouring intervals from 0 to the largest radius; beyond it is 0."""
    kernel = _kernel(measure.dim).coeffs()
    parts = [
        fmpq_poly([c * mass / radius ** (i - 1) for i, c in enumerate(kernel)])
        for radius, mass in zip(measure.radii, measure.masses, strict=True)
    ]
    pieces = []
    total = fmpq_poly([])
    for (low, high), part in zip(reversed(list(pairwise((fmpq(0), *measure.radii)))), reversed(parts), strict=True):
        total += part
        pieces.append((low, high, total))
    return pieces[::-1]


def _kernel(dim: int) -> fmpq_poly:
    """The polynomial k(x) = E (u_1 - x)_+ on [0, 1], for an odd dimension."""
    density = fmpq_poly([1, 0, -1]) ** ((dim - 3) // 2)
    beyond = _integral_to_one(density)
    return _integral_to_one(beyond / (2 * beyond(0)))


def _integral_to_one(polynomial: fmpq_poly) -> fmpq_poly:
    primitive = polynomial.integral()
    return primitive(1) - primitive


def prove_overlap_below(measure: RadialMeasure, limit: fmpq) -> None:
    """Prove that |Psi| <= limit on [0, 1].

    Raises:
        Refuted: it is larger somewhere.
        Exhausted: the limit is too close to the maximum.
    """
    budget = Budget(_WORK)
    for low, high, overlap in overlap_pieces(measure):
        for side in (limit - overlap, limit + overlap):
            point = negative_point(side.coeffs() or [fmpq(0)], low, high, STEP, budget)
            if point is not None:
                shown = f"{int(point.p * 10**6 // point.q) / 1e6:.6f}"
                raise Refuted(STEP, f"a unit with beta near {shown} has more overlap than the claim allows")


def _check_width(claim: _Claim) -> None:
    """The width must follow from the path norm and the bound on the weights."""
    if claim.width is None or claim.max_weight is None:
        return
    if not (claim.width - 1) ** 2 * claim.max_weight**4 * claim.dim < claim.path_norm**2:
        raise Refuted(STEP, f"{claim.width - 1} units with such weights can have the path norm of the claim")


def _claim(value: Any) -> _Claim:
    keys = ("kind", "dim", "domain", "norm", "eps", "depth", "activation", "path_norm", "weights", "width")
    fields = fields_of(value, "claim", keys)
    word(fields["domain"], "claim.domain", ("unit-ball",))
    word(fields["norm"], "claim.norm", ("sup",))
    integer(fields["depth"], "claim.depth", 2, 2)
    activation = fields_of(fields["activation"], "claim.activation", ("class", "constant"))
    word(activation["class"], "claim.activation.class", ("derivative-variation",))
    weights, width = fields["weights"], fields["width"]
    if (weights is None) != (width is None):
        raise Malformed("claim.width", "a width needs a bound on the weights, and a bound on the weights a width")
    bound = None
    if weights is not None:
        word(fields_of(weights, "claim.weights", ("kind", "bound"))["kind"], "claim.weights.kind", ("entries",))
        bound = _positive(weights["bound"], "claim.weights.bound")
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 3, MAX_DIM),
        eps=_positive(fields["eps"], "claim.eps"),
        variation=_positive(activation["constant"], "claim.activation.constant"),
        path_norm=_positive(fields["path_norm"], "claim.path_norm"),
        max_weight=bound,
        width=None if width is None else integer(width, "claim.width", 1, MAX_WIDTH),
    )


def _positive(value: Any, place: str) -> fmpq:
    number = parse_rational(value, place)
    if number <= 0:
        raise Malformed(place, "must be positive")
    return number


def _radius(value: Any, place: str) -> fmpq:
    radius = parse_rational(value, place)
    if not (0 < radius <= 1 and radius.q <= MAX_RADIUS_TERM):
        raise Malformed(place, f"must be in (0, 1], with a denominator of at most {MAX_RADIUS_TERM}")
    return radius


def _measure(value: Any, dim: int) -> RadialMeasure:
    fields = fields_of(value, "witness", ("kind", "dim", "radii", "masses"))
    word(fields["kind"], "witness.kind", ("radial-measure",))
    proof_dim = integer(fields["dim"], "witness.dim", 3, min(dim, MAX_PROOF_DIM))
    if proof_dim % 2 == 0:
        raise Malformed("witness.dim", f"the proof needs an odd dimension, found {proof_dim}")
    radii = item_list(fields["radii"], "witness.radii", MAX_RADII, _radius)
    if not radii or not all(low < high for low, high in pairwise(radii)):
        raise Malformed("witness.radii", "must increase strictly, and there must be some")
    masses = item_list(fields["masses"], "witness.masses", MAX_RADII, parse_rational)
    require_length(masses, "witness.masses", len(radii))
    if sum(masses, fmpq(0)) != 0:
        raise Malformed("witness.masses", "must add up to 0 exactly")
    return RadialMeasure(proof_dim, radii, masses)
