"""The crossings bound: a function that goes up and down often needs many linear pieces, at any depth and any weights.

Theorem (after Telgarsky 2016). Let N have hidden layers of w_1, ..., w_k units with continuous piecewise linear
activations of at most p pieces (ReLU: p = 2) and be within eps of f everywhere.
On the unit ball, f(x) = phi(||x||): prod_i ((p-1) w_i + 1) >= the number of pieces that f forces on a diameter.
On pairs of unit vectors, f(<x, x'>): (p-1) w_1 prod_{i>=2} (2(p-1) w_i + 1) >= the number of times f crosses a level.

What is proved here: both, the pieces being counted from values of f: by crossings of a level that clear it by more than
eps on both sides, or (on the ball) by triples of points that no affine function follows. The proofs stand in
`depthsep_check.theorems.crossings`.
Differences from the source: explicit constants; on the spheres both vectors move against each other, which doubles the
count of the circle on which only one moves.
Cost: one evaluation of f per point of a grid, which grows until it sees all oscillations.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.functions.formula import FLOAT_OPERATIONS, parse_profile
from depthsep.lower_bounds.bound import LowerBound, NoBound, verified_document
from depthsep_check.expression import Expression
from depthsep_check.theorems.crossings import BALL, MAX_DEPTH, MAX_PIECES, MAX_POINTS, SPHERES, capacity

__all__ = ["THEOREM", "crossings_bound"]

THEOREM = "crossings"

Array = NDArray[np.float64]

_COARSEST, _FINEST = 2**12, 2**20
_FINER = 4  # so that every oscillation has a grid point near its top
_MARGIN = 1e-9  # floats must clear the level by this much more than eps, so that balls confirm it
_LEVELS = 7
_PER_CROSSING = 8


def crossings_bound(
    function: str, dim: int, eps: Fraction, depth: int = 2, domain: str = BALL, activation_pieces: int = 2
) -> LowerBound | NoBound:
    """Prove that some hidden layer is wide, at a given depth, for any weights.

    Args:
        function: A formula in r = ||x|| on the unit ball, in t = <x, x'> on the spheres; d is the dimension.
        dim: The dimension.
        eps: The accuracy in the sup norm, positive.
        depth: The number of weight layers, at least 2; there are depth - 1 hidden layers.
        domain: "unit-ball", or "spheres" for pairs of unit vectors.
        activation_pieces: The largest number of linear pieces of the activation, 2 for ReLU.

    Returns:
        The bound (`width_lower` is about the widest hidden layer, at depth 2 the only one), or why there is none.

    Raises:
        BadInput: No formula, eps <= 0, or a class that the theorem does not know.

    Source:
        Telgarsky (2016) for the line; `depthsep_check.theorems.crossings` has the proofs.

    Example:
        >>> crossings_bound("sin(2*pi*d^3*r^2)", 5, Fraction(1, 2)).width_lower
        497
        >>> crossings_bound("sin(pi*d^3*t)", 5, Fraction(1, 2), domain="spheres", depth=3).width_lower
        11
        >>> crossings_bound("1 - r", 5, Fraction(3, 5)).reason
        'the function varies by 1 at most, within 2 eps = 6/5: a constant is as good'
    """
    _require_class(eps, depth, domain, activation_pieces)
    if domain == SPHERES and dim < 2:
        raise BadInput(f"the spheres in dimension {dim}", needed="dim >= 2: the argument moves on a circle")
    expression = parse_profile(function, dim, variables=("r" if domain == BALL else "t",))
    with np.errstate(all="ignore"):
        product, witness = _best_witness(expression, dim, float(eps), domain)
    if witness is None:
        found = f"the function varies by {product} at most, within 2 eps = {2 * eps}: a constant is as good"
        return NoBound(THEOREM, found)
    width = _smallest_width(domain, depth, activation_pieces, int(product))
    if width < 1:
        found = f"the function varies by hardly more than 2 eps = {2 * eps}: no level was found to clear"
        return NoBound(THEOREM, found)
    return _bound(function, dim, eps, domain, depth, activation_pieces, int(product), width, witness)


def _require_class(eps: Fraction, depth: int, domain: str, pieces: int) -> None:
    if eps <= 0:
        raise BadInput(f"eps = {eps}", needed="a positive accuracy", do='for example eps="0.1"')
    if domain not in (BALL, SPHERES):
        raise BadInput(f"the domain {domain!r}", needed=f'"{BALL}" or "{SPHERES}"')
    if not 2 <= depth <= MAX_DEPTH or not 2 <= pieces <= MAX_PIECES:
        raise BadInput(
            f"the crossings bound at depth {depth} with {pieces} linear pieces per activation",
            needed=f"a depth of 2 to {MAX_DEPTH} and a piecewise linear activation of 2 to {MAX_PIECES} pieces",
            do="smooth activations are not covered: a single one may oscillate as often as it likes",
        )


def _best_witness(expression: Expression, dim: int, eps: float, domain: str) -> tuple[str | int, dict[str, Any] | None]:
    """The product that the better of both ways proves, and its witness; or how much the function varies."""
    margin = eps + _MARGIN * (1 + eps)
    start, factor = (0, 2) if domain == BALL else (-1, 1)
    grid = _resolving_grid(expression, dim, margin, start)
    values = _values(expression, dim, np.arange(start * grid, grid + 1) / grid)
    if not np.ptp(values) > 2 * margin:
        return f"{np.ptp(values):.6g}", None
    level = _best_level(values[:: _FINER if grid > _COARSEST else 1], margin)
    indices = _around(values - float(level), margin)[:MAX_POINTS]  # fewer sides prove less, and fit a document
    product = factor * (len(indices) - 1)
    shifted = (indices + start * grid).tolist()
    witness = {"kind": "alternation", "grid": grid, "level": str(level), "indices": shifted}
    if domain == BALL:
        bends = _bends(_values(expression, dim, np.abs(np.arange(-_COARSEST, _COARSEST + 1)) / _COARSEST), margin)
        if len(bends) // 2 + 1 > product:
            product = len(bends) // 2 + 1
            witness = {"kind": "bends", "grid": _COARSEST, "indices": [i - _COARSEST for i in bends]}
    return product, witness


def _resolving_grid(expression: Expression, dim: int, margin: float, start: int) -> int:
    """A number of steps per unit that sees the oscillations.

    Random points tell: where they are too few, the function looks like noise; on a regular grid it may look slow.
    """
    grid, rng = _COARSEST, np.random.default_rng(0)
    while grid < _FINEST:
        values = _values(expression, dim, np.sort(rng.uniform(start, 1, (1 - start) * grid)))
        indices = _around(values - (values.min() + values.max()) / 2, margin)
        if len(indices) * _PER_CROSSING <= len(values):
            break
        grid *= 2
    return grid * _FINER if grid > _COARSEST else grid


def _values(expression: Expression, dim: int, points: Array) -> Array:
    """The function in float64."""
    values = np.array(np.broadcast_to(expression.evaluate(FLOAT_OPERATIONS, points, dim), points.shape), dtype=float)
    known = np.isfinite(values)
    if not known.all():
        found = f"no finite value at {expression.variables[0]} = {points[np.argmin(known)]:.9g}"
        raise BadInput(expression.text, found=found, needed="a function that is defined on the whole domain")
    return values


def _best_level(values: Array, margin: float) -> Fraction:
    """One of several levels, about which the values alternate most often."""
    rises = np.sign(np.diff(values))
    turning = values[1:-1][rises[:-1] != rises[1:]]
    between = np.quantile(turning, np.linspace(0.1, 0.9, _LEVELS)) if len(turning) else []
    candidates = [float(values.min() + values.max()) / 2, 0.0, *between]
    levels = [Fraction(round(candidate * 2**20), 2**20) for candidate in candidates]
    return max(levels, key=lambda level: len(_around(values - float(level), margin)))


def _around(differences: Array, margin: float) -> NDArray[np.intp]:
    """One index per run beyond the margin on the same side, where it is farthest out."""
    beyond = np.flatnonzero(np.abs(differences) > margin)
    if not len(beyond):
        return beyond
    sides = np.sign(differences[beyond])
    starts = np.flatnonzero(np.concatenate(([True], sides[1:] != sides[:-1])))
    runs = np.cumsum(np.concatenate(([0], (sides[1:] != sides[:-1]).astype(np.intp))))
    # Sort by run, then by size: the last one of every run is its farthest point.
    order = np.lexsort((np.abs(differences[beyond]), runs))
    return np.asarray(beyond[order[np.append(starts[1:], len(beyond)) - 1]])


def _bends(values: Array, margin: float) -> list[int]:
    """Indices a, b, c, ... such that no affine function is within eps at a, b, c; c starts the next triple."""
    indices = [0]
    while True:
        start, low, high = indices[-1], 1, 2
        while start + high < len(values) and _deviation(values, start, start + high)[1] <= 2 * margin:
            low, high = high, 2 * high
        high = min(high, len(values) - 1 - start)
        if high < 2 or _deviation(values, start, start + high)[1] <= 2 * margin:
            return indices
        while high - low > 1:
            middle = (low + high) // 2
            enough = _deviation(values, start, start + middle)[1] > 2 * margin
            low, high = (low, middle) if enough else (middle, high)
        indices += [_deviation(values, start, start + high)[0], start + high]


def _deviation(values: Array, start: int, end: int) -> tuple[int, float]:
    """Where the values between two indices are farthest from the chord, and how far."""
    inner = np.arange(start + 1, end)
    if not len(inner):
        return start, 0.0
    chord = values[start] + (values[end] - values[start]) * (inner - start) / (end - start)
    distance = np.abs(values[start + 1 : end] - chord)
    return int(inner[np.argmax(distance)]), float(distance.max())


def _smallest_width(domain: str, depth: int, pieces: int, product: int) -> int:
    """The smallest width with which all hidden layers together reach the product."""
    low, high = -1, 1
    while capacity(domain, high, depth, pieces) < product:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if capacity(domain, middle, depth, pieces) < product else (low, middle)
    return high


def _bound(
    text: str,
    dim: int,
    eps: Fraction,
    domain: str,
    depth: int,
    pieces: int,
    product: int,
    width: int,
    witness: dict[str, Any],
) -> LowerBound:
    common: dict[str, Any] = {"dim": dim, "domain": domain, "norm": "sup", "depth": depth, "weight_class": "any"}
    common["activation_class"] = "piecewise-linear"
    claim = {"eps": str(eps), "activation_pieces": pieces, "product": product, "width": width}
    document, verdict = verified_document(
        f"the lower bound {width} by {THEOREM}",
        {"kind": "radial" if domain == BALL else "inner-product", "expression": text},
        {"kind": THEOREM, **common, **claim},
        witness,
    )
    seen = len(witness["indices"])
    how = f"{seen} values on alternating sides" if witness["kind"] == "alternation" else f"{seen // 2} bends"
    return LowerBound(
        theorem=THEOREM,
        width_lower=width,
        eps=eps,
        measure=None,
        second_layer_width=None,
        hypotheses=(
            f"a continuous piecewise linear activation of at most {pieces} pieces, a linear output, any weights",
            f"{how} that an error of eps = {eps} cannot undo",
            "the bound is about the widest hidden layer (at depth 2 the only one)",
        ),
        document=document,
        verdict=verdict,
        **common,
    )
