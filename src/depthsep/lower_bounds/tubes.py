"""The tubes bound: no sum of few ridge functions is near a radial one in the Eldan-Shamir measure, for any weights.

Theorem (Eldan & Shamir 2016, arXiv:1512.03965; the cone: Safran, Eldan & Shamir 2019, Theorem 5, arXiv:1904.06984).
Let gamma be the law whose density is the squared Fourier transform of the ball RB of volume 1, f(x) = F(s) with
s = 2 pi R ||x||, and N a polynomial plus ridge functions g_j(<v_j, x>) of r different lines R v_j. Then

    ||f - N||^2_{L2(gamma)} >= int_1^oo max(0, 1 - r tau(k)) dm(k),

where m is the spectral mass of f times the amplitude at frequency k R, and tau(k) the share of the sphere of radius kR
within R of a line.

What is proved here: for any measurable activations of polynomial growth (they may differ from unit to unit), any
weights, at depth 2: the error floor for every number r of units, and the number of units for every accuracy, by a
finite list of cuts k_1 < ... < k_J of the integral. Proof, masses and error terms: `depthsep_check.theorems.tubes`.
Differences from the source: exact masses by quadrature for any profile, and cuts, where the source has one inequality
with unspecified constants (its Theorem 5 needs an accuracy below d^-6 for the cone; the floors here are about
d^(-4/3)). It says nothing about the sup norm, nor about other laws. Cost: per cut two Bessel values a node; d = 10 a
few hundredths of a second, d = 1000 seconds.

The cuts are looked for in float64 (masses on a grid, then the best few by dynamic programming); only the chosen ones
are enclosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray
from scipy.special import jv, roots_legendre

from depthsep.errors import BadInput, OutOfReach
from depthsep.lower_bounds.bound import LowerBound, NoBound, verified_document
from depthsep.lower_bounds.tube_profile import Profile, RadialPieces, float_values, read_profile
from depthsep_check.numbers import precision
from depthsep_check.theorems.tubes import (
    BITS,
    MAX_DIM,
    MAX_LOG2_WIDTH,
    MAX_NODES,
    WORK,
    Piece,
    Plan,
    Spectrum,
    error_floor,
    spectrum,
    tube_share,
)
from depthsep_check.verdict import Budget, CheckFailure, Refuted

__all__ = ["THEOREM", "tubes_bound", "tubes_floor"]

THEOREM = "tubes"

Array = NDArray[np.float64]

_GRID = [fmpq(257, 256), fmpq(129, 128), fmpq(65, 64)]  # the shares fall steeply beyond 1
_GRID += [fmpq(32 + i, 32) for i in range(1, 33)] + [fmpq(32 + i, 16) for i in range(1, 33)]
_GRID += [fmpq(16 + i, 4) for i in range(1, 17)] + [fmpq(8 + i) for i in range(1, 25)]
_FLOAT_NODES = 600  # of the search
_CUT_NODES = 2500  # about how many nodes all cuts may have together
_MOST_CUTS = 40
_WORTH = 1 + 3e-4
_FAINT = 1e-4  # floors are not looked for below this part of the norm
_LOG_ACCURACY = -72.0  # of the quadrature: log of its error
_NEGLIGIBLE = 1e-15  # J below the start
_LONGEST = 10**390  # documents hold numbers of at most 400 digits; a larger bound is rounded down to a power of 2


def tubes_bound(profile: Profile, dim: int, eps: Fraction, *, support: Fraction | None = None) -> LowerBound | NoBound:
    """Bound the number of hidden units of every depth-2 network within eps in L2 of the Eldan-Shamir measure.

    Args:
        profile: F(s), as pieces or a text; see `depthsep.lower_bounds.tube_profile.read_profile`.
        dim: The dimension, at least 2.
        eps: The accuracy: a norm, not its square.
        support: Where a formula that does not vanish by itself is cut off.

    Raises:
        BadInput: A dimension outside 2..4096, eps <= 0, or a profile that cannot be read.
        OutOfReach: The quadrature would need too many nodes.

    Source:
        Eldan & Shamir 2016; the proof stands in `depthsep_check.theorems.tubes`.

    Example:
        >>> tubes_bound("max(0, 1 - s/27)", 50, Fraction(12, 10000)).width_lower > 2**50
        True
        >>> tubes_bound("indicator(s <= 6)", 10, Fraction(1)).reason
        'eps = 1 is not below the norm of the function, about 0.541: the network 0 is that near'
    """
    _require(dim, eps=eps)
    function = read_profile(profile, dim, support)
    search = _search(function)
    norm = search.total**0.5
    if not float(eps) < norm:
        return NoBound(
            THEOREM, f"eps = {eps} is not below the norm of the function, about {norm:.3g}: the network 0 is that near"
        )
    one = search.floor(0.0)
    if not float(eps) < one:
        return NoBound(THEOREM, f"eps = {eps} is not below the floor of a single direction, about {max(one, 0):.3g}")
    plan, found = _enclosed(function, search, search.log2_width(max(float(eps), 2 * _FAINT * norm)))
    width = _largest(found, plan, eps)
    if width == 0:
        return NoBound(THEOREM, f"eps = {eps} is too near the floor of a single direction, about {one:.6g}")
    return _proved(function, dim, eps, width + 1, plan, None)


def tubes_floor(profile: Profile, dim: int, width: int, *, support: Fraction | None = None) -> LowerBound | NoBound:
    """Bound from below the L2 error of every depth-2 network of so many hidden units, in the Eldan-Shamir measure.

    Args:
        profile: F(s), as pieces or a text; see `depthsep.lower_bounds.tube_profile.read_profile`.
        dim: The dimension, at least 2.
        width: The number of units, at least 1.
        support: Where a formula that does not vanish by itself is cut off.

    Returns:
        A bound whose `error_floor` (also its `eps`) is the floor: `width_lower` is `width` + 1, for that accuracy.

    Raises:
        BadInput: A dimension outside 2..4096, width < 1, or a profile that cannot be read.
        OutOfReach: The quadrature would need too many nodes.

    Example:
        >>> floor = tubes_floor("indicator(s <= 3.5)", 5, 5)
        >>> round(float(floor.error_floor) ** 2, 4), floor.width_lower
        (0.0756, 6)
    """
    _require(dim, width=width)
    function = read_profile(profile, dim, support)
    search = _search(function)
    log2_width = float((arb(width).log() / arb.const_log2()).mid())
    norm = search.total**0.5
    nothing = NoBound(
        THEOREM, f"at width {width} the floor is below 1/10000 of the norm of the function, about {norm:.3g}"
    )
    if not search.floor(log2_width) > _FAINT * norm:
        return nothing
    plan, found = _enclosed(function, search, log2_width)
    try:
        with precision(BITS):
            floor = _rounded_down(error_floor(found, plan, width).lower())
    except Refuted:
        return nothing
    return _proved(function, dim, floor, width + 1, plan, floor)


def _require(dim: int, eps: Fraction = Fraction(1), width: int = 1) -> None:
    if not 2 <= dim <= MAX_DIM:
        raise BadInput(
            f"the tubes bound in dimension {dim}", needed=f"a dimension from 2 to {MAX_DIM}: a line has no tubes"
        )
    if eps <= 0:
        raise BadInput(f"eps = {eps}", needed="a positive accuracy", do='for example eps="0.1"')
    if not 1 <= width < _LONGEST:
        raise BadInput(
            f"width = {float(min(width, 10**300)):.6g}", needed="a width of at least 1, of at most 390 digits"
        )


def _proved(
    function: RadialPieces, dim: int, eps: Fraction, width: int, plan: Plan, floor: Fraction | None
) -> LowerBound:
    classes: dict[str, Any] = {
        "dim": dim,
        "domain": "R^d",
        "norm": "L2",
        "measure": "eldan-shamir",
        "depth": 2,
        "activation_class": "any",
        "weight_class": "any",
    }
    written = str(width)
    if width > _LONGEST:
        exponent = width.bit_length() - 1
        width, written = 1 << exponent, f"2^{exponent}"
    document, verdict = verified_document(
        f"the lower bound {written} by {THEOREM}",
        function.to_json(),
        {"kind": "tubes", **classes, "eps": str(eps), "width": written},
        {"kind": "cuts", "start": str(plan.start), "cuts": [str(cut) for cut in plan.cuts], "nodes": list(plan.nodes)},
    )
    return LowerBound(
        theorem=THEOREM,
        width_lower=width,
        eps=eps,
        second_layer_width=None,
        hypotheses=(
            "one hidden layer; activations measurable and of polynomial growth, any weights; polynomials in x are free",
            "the error is the norm of L2(gamma), gamma the Eldan-Shamir measure on R^d, s = 2 pi R ||x||",
            f"F(s) = {function}, 0 elsewhere",
        ),
        document=document,
        verdict=verdict,
        error_floor=floor,
        **classes,
    )


def _rounded_down(value: arb) -> Fraction:
    """Give twelve significant digits or so of a positive number."""
    exact = Fraction(int(value.fmpq().p), int(value.fmpq().q))
    scale = 1
    while exact * scale < 10**11:
        scale *= 10
    return Fraction(int(exact * scale), scale)


# ------------------------------------------------------------------------------------------------------------------
# The search, in floats: everything that it finds is proved afterwards


@dataclass(frozen=True)
class _Search:
    """Estimates on a grid of cuts: the masses m(k, oo), the log2 of the shares tau(k), and the whole mass."""

    cuts: list[fmpq]
    masses: Array
    log2_shares: Array
    total: float

    def weights(self, log2_width: float) -> Array:
        """Estimate 1 - r tau at every cut; negative where the tubes may cover everything."""
        return 1 - np.exp2(np.minimum(self.log2_shares + log2_width, 2.0))

    def floor(self, log2_width: float) -> float:
        """Estimate the floor of the error with all the cuts."""
        steps = np.diff(np.maximum(self.weights(log2_width), 0), prepend=0)
        return float(np.sqrt(max(0.0, float(np.sum(steps * self.masses)))))

    def log2_width(self, eps: float) -> float:
        """Estimate the log2 of the largest width whose floor is above eps."""
        low, high = 0.0, float(-self.log2_shares[-1])
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.floor(middle) > eps else (low, middle)
        return low

    def best_cuts(self, log2_width: float, count: int) -> tuple[fmpq, ...]:
        """Choose the cuts, `count` at most, that together keep the most of the floor at this width.

        Dynamic programming over the last cut; a cut that gains less than the factor `_WORTH` is left out.
        """
        weights, masses = self.weights(log2_width), self.masses
        usable = np.nonzero((weights > 1e-9) & (masses > 1e-9 * self.total))[0]
        weights, masses = weights[usable], masses[usable]
        gains = np.subtract.outer(weights, weights).T * masses  # from the cut of the row to that of the column
        gains[np.tril_indices(usable.size)] = -np.inf
        values, before = weights * masses, []
        for _ in range(count - 1):
            through = values[:, None] + gains
            origin = np.argmax(through, axis=0)
            reached = through[origin, np.arange(usable.size)]
            better = reached > values * _WORTH
            before.append(np.where(better, origin, -1))
            values = np.where(better, reached, values)
        at = int(np.nonzero(values * _WORTH >= np.max(values))[0][0])
        chosen = [at]
        for origin in reversed(before):
            if origin[at] >= 0:
                at = int(origin[at])
                chosen.append(at)
        return tuple(self.cuts[usable[i]] for i in reversed(chosen))


@lru_cache(maxsize=8)
def _search(function: RadialPieces) -> _Search:
    """Estimate the masses on as much of the grid as is affordable and not empty."""
    dim, pieces = function.dim, _beyond(function, _start(function))
    cuts = [cut for cut in _GRID if sum(_node_counts(pieces, dim, cut)) <= _FLOAT_NODES or cut <= 2]
    counts = _node_counts(pieces, dim, cuts[-1])
    if sum(counts) > MAX_NODES:
        raise OutOfReach(
            f"the tubes bound for F = {function}",
            found=f"the quadrature needs about {sum(counts)} nodes",
            needed=f"at most {MAX_NODES}",
            do="take a smaller support, or a lower frequency",
            reached=None,
        )
    total, masses = _masses(function, pieces, cuts, counts)
    with precision(BITS):
        shares = [float((tube_share(dim, cut).log() / arb.const_log2()).mid()) for cut in cuts]
    kept = 1 + int(np.max(np.nonzero(masses > 1e-5 * total)[0], initial=0))
    return _Search(cuts[:kept], masses[:kept], np.array(shares[:kept]), total)


def _masses(
    function: RadialPieces, pieces: Sequence[Piece], cuts: list[fmpq], counts: tuple[int, ...]
) -> tuple[float, Array]:
    """Estimate m(0, oo) and m(k, oo) at the cuts, by the sums that the checker encloses."""
    rules = [roots_legendre(count) for count in counts]
    halves = [float((p.high - p.low) / 2) for p in pieces]
    s = np.concatenate([float(p.low) + h * (1 + x) for p, h, (x, _) in zip(pieces, halves, rules, strict=True)])
    weights = np.concatenate([h * w for h, (_, w) in zip(halves, rules, strict=True)])
    order = function.dim / 2
    scaled = function.profile(s) * jv(order, s)
    total = function.dim * float(np.sum(weights * scaled**2 / s))
    load = weights * scaled
    differences = np.subtract.outer(s * s, s * s)
    np.fill_diagonal(differences, np.inf)
    cauchy = 1 / differences
    low = []
    for cut in cuts:
        k = float(cut)
        upper, here = jv(order, k * s), jv(order - 1, k * s)
        below = 2 * (order - 1) / (k * s) * here - upper
        pairs = 2 * k * float((load * s * upper) @ cauchy @ (load * here))
        low.append(function.dim * (k * k / 2 * float(np.sum(load**2 * (here**2 - below * upper))) + pairs))
    return total, total - np.array(low)


def _start(function: RadialPieces) -> Fraction:
    """Choose where the proof begins: J is negligible below, and something of the function lies beyond."""
    grid = np.arange(0, function.dim / 2, 0.25)
    tiny = np.nonzero(jv(function.dim / 2, grid) < _NEGLIGIBLE)[0]
    start = Fraction(grid[tiny[-1]]) if tiny.size else Fraction(0)
    return start if start < function.pieces[-1][1] else Fraction(0)


def _beyond(function: RadialPieces, start: Fraction) -> list[Piece]:
    first = fmpq(start.numerator, start.denominator)
    return [Piece(max(p.low, first), p.high, p.expression) for p in function.checked if p.high > first]


def _node_counts(pieces: Sequence[Piece], dim: int, cut: fmpq, factor: float = 1.0) -> tuple[int, ...]:
    """Estimate the nodes that make the error terms of the checker negligible for cuts up to the given one."""
    k = float(cut)
    counts = []
    for piece in pieces:
        rho, height, log_sup = _ellipses(piece, dim)
        size = np.maximum(np.log(dim * k * k) + log_sup + (1 + k) * height, np.log(2) + 2 * log_sup + 2 * height)
        size += np.log(float(piece.high - piece.low) / (1 - 1 / rho**2) + 1) - _LOG_ACCURACY
        needed = float(np.min(size / (2 * np.log(rho)))) if rho.size else _FLOAT_NODES
        counts.append(max(4, int(factor * (needed + 6))))
    return tuple(counts)


@lru_cache(maxsize=64)
def _ellipses(piece: Piece, dim: int) -> tuple[Array, Array, Array]:
    """Sample F on the ellipses about a piece: rho, the largest |Im|, and log sup |F|, where that is finite."""
    low, high = float(piece.low), float(piece.high)
    rho = 1 + np.geomspace(1 / 64, 8, 50)
    turned = np.exp(1j * np.linspace(0, 2 * np.pi, 65)) * rho[:, None]
    values = float_values(piece.expression, (low + high) / 2 + (high - low) / 4 * (turned + 1 / turned), dim)
    sup = np.max(np.abs(values), axis=1)
    good = np.isfinite(sup) & (sup > 0)
    return rho[good], (high - low) / 4 * (rho - 1 / rho)[good], np.log(sup[good])


# ------------------------------------------------------------------------------------------------------------------
# The proof


def _enclosed(function: RadialPieces, search: _Search, log2_width: float) -> tuple[Plan, Spectrum]:
    """Choose the cuts for a width and enclose their masses, with more nodes if the first are too few."""
    dim, start = function.dim, _start(function)
    pieces = _beyond(function, start)
    one_cut = sum(_node_counts(pieces, dim, search.best_cuts(log2_width, 1)[-1]))
    cuts = search.best_cuts(log2_width, max(1, min(_MOST_CUTS, _CUT_NODES // one_cut)))
    for factor in (1.0, 1.5, 2.5):
        nodes = _node_counts(pieces, dim, cuts[-1], factor)
        plan = Plan(fmpq(start.numerator, start.denominator), cuts, nodes)
        with precision(BITS):
            try:
                found = spectrum(function.checked, dim, plan, Budget(WORK))
            except CheckFailure as failure:
                raise OutOfReach(f"the tubes bound for F = {function}", found=failure.text) from None
            if all(mass.rad() < mass / 10**6 for mass in found.beyond):
                return plan, found
    raise OutOfReach(f"the tubes bound for F = {function}", found=f"{sum(nodes)} nodes give no accurate masses")


def _largest(found: Spectrum, plan: Plan, eps: Fraction) -> int:
    """Give the largest number of directions whose floor is certainly above eps, 0 if there is none."""
    accuracy = arb(fmpq(eps.numerator, eps.denominator))

    def above(directions: int) -> bool:
        try:
            return bool(accuracy < error_floor(found, plan, directions))
        except Refuted:
            return False

    with precision(BITS):
        low, high = 0, 1
        while high < 2 ** (MAX_LOG2_WIDTH - 1) and above(high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if above(middle) else (low, middle)
    return low
