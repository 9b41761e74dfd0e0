"""The radial dual: what a depth-2 network near a radial function pays in path norm, in the sup norm on the ball.

Theorem. Let N(x) = c + <l, x> + sum_j u_j s(<w_j, x> + b_j) be within eps of phi(||x||) on the unit ball of R^d,
d >= 3, s' of total variation at most T (ReLU: 1). For every signed measure eta on the radii, of total mass 0,

    sum_j |u_j| |w_j| >= (|int phi deta| - eps |eta|) / (T sup_beta |int E |rho u_1 - beta|/2 deta(rho)|).

What is proved here: this, for finitely many rational masses; the supremum exactly, by polynomials with rational
coefficients in an odd dimension d' <= d. The proof stands in `depthsep_check.theorems.radial_dual`. Without a bound on
the weights nothing follows about the width.
Differences from the source: by linear programming duality the best eta gives the exact price in path norm (Barron 1993
and Bach 2017 study such norms); this form is depthsep's own.
Cost: one linear program with some hundred variables per proof dimension, whose solutions have few masses; a check takes
milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.special import betainc, gammaln

from depthsep.errors import BadInput
from depthsep.functions import Radial
from depthsep.lower_bounds.bound import LowerBound, NoBound, verified_document
from depthsep_check.numbers import precision
from depthsep_check.theorems.radial_dual import (
    MAX_PROOF_DIM,
    RadialMeasure,
    numerator,
    overlap_pieces,
    prove_overlap_below,
)
from depthsep_check.verdict import CheckFailure

__all__ = ["THEOREM", "radial_dual_bound"]

THEOREM = "radial-dual"

Array = NDArray[np.float64]

_BITS = 128
_RADII, _OFFSETS = 128, 512  # the grids of the linear program
_MASS_BITS = 60
_NEGLIGIBLE = 1e-9  # masses below this part of the largest one are left out
_PROOF_DIMS = (MAX_PROOF_DIM, 51, 21)  # the larger the better, as long as float64 can follow
_SAMPLES = 16  # values of Psi per polynomial piece, for a first guess of its maximum
_SLACKS = (1001, 1003, 1010, 1030, 1100, 1300)  # thousandths
_DIGITS = 9


@dataclass(frozen=True)
class _Proof:
    """A measure and the path norm that it proves."""

    measure: RadialMeasure
    path_norm: Fraction


def radial_dual_bound(
    function: str,
    dim: int,
    eps: Fraction,
    max_weight: Fraction | None = None,
    derivative_variation: Fraction = Fraction(1),
) -> LowerBound | NoBound:
    """Prove a lower bound on the path norm of every depth-2 network within eps in the sup norm on the unit ball.

    Args:
        function: A formula in r = ||x||; d is the dimension.
        dim: The dimension, at least 3.
        eps: The accuracy, positive.
        max_weight: B, when every inner and outer weight is at most B in size (biases are free): gives a width.
        derivative_variation: T, the total variation of the derivative of the activation: 1 for ReLU and softplus.

    Returns:
        The bound: `path_norm_lower` is about sum_j |u_j| |w_j|; `width_lower` is 1 unless `max_weight` is given. Or why
        there is none.

    Raises:
        BadInput: No formula, no finite values, dim < 3, or a number that must be positive is not.

    Source:
        depthsep's own; `depthsep_check.theorems.radial_dual` has the proof.

    Example:
        >>> bound = radial_dual_bound("cos(12*r)", 5, Fraction(1, 2))
        >>> float(bound.path_norm_lower) > 2**9.28, bound.width_lower
        (True, 1)
        >>> radial_dual_bound("cos(12*r)", 5, Fraction(1)).reason
        'no measure on the radii sees the function beyond eps = 1: a constant may be as good'
    """
    profile = _require(function, dim, {"eps": eps, "max_weight": max_weight, "T": derivative_variation})
    largest = min(dim - 1 + dim % 2, MAX_PROOF_DIM)
    proofs = [
        proof
        for proof_dim in sorted({largest, *(d for d in _PROOF_DIMS if d < largest)})
        if (proof := _search(profile, eps, derivative_variation, proof_dim)) is not None
    ]
    if not proofs:
        reason = f"no measure on the radii sees the function beyond eps = {eps}: a constant may be as good"
        return NoBound(THEOREM, reason)
    best = max(proofs, key=lambda proof: proof.path_norm)
    return _bound(profile, eps, max_weight, derivative_variation, best)


def _require(function: str, dim: int, positive: dict[str, Fraction | None]) -> Radial:
    if dim < 3:
        raise BadInput(
            f"the radial dual in dimension {dim}",
            needed="dim >= 3: the proof runs on spheres of an odd dimension of at least 3",
            do="in dimension 1 and 2 use the crossings or the rank bound",
        )
    for name, value in positive.items():
        if value is not None and value <= 0:
            raise BadInput(f"{name} = {value}", needed="a positive number")
    profile = Radial(function, dim)
    profile.validate()
    return profile


def _search(profile: Radial, eps: Fraction, variation: Fraction, proof_dim: int) -> _Proof | None:
    """Solve the linear program, round its masses, and prove what they give."""
    measure = _best_measure(profile, float(eps), proof_dim)
    if measure is None:
        return None
    with precision(_BITS):
        gain = numerator(profile.expression, profile.dim, measure, _fmpq(eps))
        if not gain > 0:
            return None
        enough = gain.lower().fmpq() / _fmpq(variation)
    peak = fmpq(0)
    for low, high, overlap in overlap_pieces(measure):
        step = (high - low) / _SAMPLES
        peak = max(peak, *(abs(overlap(low + i * step)) for i in range(_SAMPLES + 1)))
    for slack in _SLACKS:
        path_norm = _rounded_down(enough / (peak * slack / 1000))
        try:
            prove_overlap_below(measure, enough / _fmpq(path_norm))
        except CheckFailure:
            continue
        return _Proof(measure, path_norm)
    return None


def _best_measure(profile: Radial, eps: float, proof_dim: int) -> RadialMeasure | None:
    """Maximise int phi deta - eps |eta| under |Psi| <= 1 on a grid; extreme solutions have few masses."""
    radii = np.arange(1, _RADII + 1) / _RADII
    overlaps = _overlaps(radii, np.arange(_OFFSETS) / _OFFSETS, proof_dim).T
    values = profile.profile(radii)
    solution = linprog(
        np.concatenate((eps - values, eps + values)),
        A_ub=np.block([[overlaps, -overlaps], [-overlaps, overlaps]]),
        b_ub=np.ones(2 * _OFFSETS),
        A_eq=np.concatenate((np.ones(_RADII), -np.ones(_RADII)))[None],
        b_eq=[0.0],
        method="highs",
    )
    if solution.x is None or not np.abs(solution.x).max() > 0:
        return None
    masses = solution.x[:_RADII] - solution.x[_RADII:]
    size = np.abs(masses).max()
    kept = np.flatnonzero(np.abs(masses) > _NEGLIGIBLE * size)
    if len(kept) < 2:
        return None
    exact = [fmpq(round(float(masses[i] / size) * 2**_MASS_BITS), 2**_MASS_BITS) for i in kept]
    exact[int(np.argmax(np.abs(masses[kept])))] -= sum(exact, fmpq(0))
    return RadialMeasure(proof_dim, tuple(fmpq(int(i) + 1, _RADII) for i in kept), tuple(exact))


def _overlaps(radii: Array, offsets: Array, dim: int) -> Array:
    """E (rho u_1 - beta)_+ for every radius (rows) and offset, in float64."""
    ratio = np.minimum(offsets[None, :] / radii[:, None], 1.0)
    beyond = 1 - ratio**2
    constant = np.exp(gammaln(dim / 2) - gammaln((dim - 1) / 2)) / np.sqrt(np.pi) / (dim - 1)
    kernel = constant * beyond ** ((dim - 1) / 2) - ratio * betainc((dim - 1) / 2, 0.5, beyond) / 2
    return np.asarray(radii[:, None] * kernel)


def _rounded_down(value: fmpq) -> Fraction:
    """A decimal not above a positive rational, of about nine digits."""
    exact = Fraction(int(value.p), int(value.q))
    places = _DIGITS
    while places > 0 and exact * 10**places >= 10**_DIGITS:
        places -= 1
    while exact * 10**places < 10 ** (_DIGITS - 1):
        places += 1
    return Fraction(exact * 10**places // 1, 10**places)


def _width(path_norm: Fraction, max_weight: Fraction, dim: int) -> int:
    """The smallest integer W with W B^2 sqrt(d) >= V."""
    square = path_norm**2 / (max_weight**4 * dim)
    root = isqrt(square.numerator // square.denominator)
    return max(root + (root**2 < square), 1)


def _bound(
    profile: Radial, eps: Fraction, max_weight: Fraction | None, variation: Fraction, proof: _Proof
) -> LowerBound:
    width = None if max_weight is None else _width(proof.path_norm, max_weight, profile.dim)
    claim: dict[str, Any] = {
        "dim": profile.dim,
        "domain": "unit-ball",
        "norm": "sup",
        "eps": str(eps),
        "depth": 2,
        "activation": {"class": "derivative-variation", "constant": str(variation)},
        "path_norm": str(proof.path_norm),
        "weights": None if max_weight is None else {"kind": "entries", "bound": str(max_weight)},
        "width": width,
    }
    measure = proof.measure
    witness = {
        "kind": "radial-measure",
        "dim": measure.dim,
        "radii": [str(radius) for radius in measure.radii],
        "masses": [str(mass) for mass in measure.masses],
    }
    asked = f"the path norm {proof.path_norm} by {THEOREM}"
    document, verdict = verified_document(asked, profile.to_json(), {"kind": THEOREM, **claim}, witness)
    weights = "any weights" if max_weight is None else f"inner and outer weights of at most {max_weight} in size"
    return LowerBound(
        theorem=THEOREM,
        width_lower=width or 1,
        eps=eps,
        dim=profile.dim,
        norm="sup",
        measure=None,
        domain="unit-ball",
        depth=2,
        activation_class=f"derivative of total variation at most {variation}",
        weight_class="any" if max_weight is None else f"entries at most {max_weight}",
        second_layer_width=None,
        hypotheses=(
            f"one hidden layer; the derivative of the activation has total variation at most {variation} (ReLU: 1)",
            f"{weights}; biases, an output bias and a linear skip connection are free",
            f"the path norm is sum |u_j| |w_j|, bounded by {len(measure.radii)} spheres in dimension {measure.dim}",
        ),
        document=document,
        verdict=verdict,
        path_norm_lower=proof.path_norm,
    )


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
