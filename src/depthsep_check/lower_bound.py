"""Check of lower bounds on the width of the first hidden layer, for every choice of the weights.

Networks here see x only through their first hidden layer (no skip connection), f(x) = phi(||x||), |N - f| <= eps on the
unit ball of dimension d, and w is the width of the first hidden layer.

**Oscillation** (any depth, any activation): if |phi(a) - phi(b)| > 2 eps for two radii a, b in [0, 1], then w >= d.
*Proof.* If w < d, some unit vector v is orthogonal to all directions of the first layer, so N is constant on the line
Rv and N(av) = N(bv) is within eps of both phi(a) and phi(b). QED
For a ball indicator the values 1 and 0 are known up to radius - margin and from radius + margin on.

**Cells** (first layer ReLU). Suppose that behind the first layer N depends on k < d linear forms of it: depth 3 with k
units (or k directions) in the second layer, of any activation; or depth 2, where N is affine wherever the first layer
is, so k = 1. Let D be the length, in s = r^2, of the longest interval of radii where phi varies by at most 2 eps. Then

    sum_{i <= d} binomial(w, i)  >=  v_d / (v_k v_{d-k} D^{(d-k)/2}),      v_j the volume of the unit ball of R^j.

*Proof.* The w hyperplanes cut the ball into at most sum_{i <= d} binomial(w, i) convex cells and a null set. On a cell
the first layer is affine, so N is a function of k affine forms there and constant on the slices by the translates of a
subspace of dimension d - k. On a segment of length h inside a slice f varies by at most 2 eps, and s = ||x||^2, a
quadratic with leading coefficient 1 in the length, runs through an interval of length >= h^2 / 4; so h <= 2 sqrt(D). A
set of diameter 2 sqrt(D) in R^{d-k} has volume at most v_{d-k} D^{(d-k)/2} (isodiametric inequality), and the cell
projects along the slices into a unit ball of R^k, so by Fubini its volume is at most v_k v_{d-k} D^{(d-k)/2}. The cells
together have the volume v_d. QED
The powers of pi cancel: v_d / (v_k v_{d-k}) = Gamma(k/2 + 1) Gamma((d-k)/2 + 1) / Gamma(d/2 + 1).

D is bounded on the grid r_i = i/n. An interval [a, b] whose grid points are r_i, ..., r_j lies in (r_{i-1}, r_{j+1}),
and phi varies by at most 2 eps among them; so D <= max (r_{j+1}^2 - r_{i-1}^2) over the windows i..j whose sampled
variation is not certainly above 2 eps (ends clipped to [0, 1]). To prove w >= W the left side for w = W - 1 must be
certainly below the right side.

Source: the counting of cells is classical (Schlaefli 1901); the use made of it here is depthsep's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from flint import arb, fmpq

from depthsep_check.document import (
    BallIndicatorFunction,
    CellsWitness,
    Document,
    Function,
    Oscillation,
    RadialFunction,
    WidthLowerClaim,
)
from depthsep_check.expression import Expression
from depthsep_check.numbers import format_rational
from depthsep_check.profile_bounds import near, profile_at
from depthsep_check.verdict import Exhausted, Refuted, Unsupported

MAX_DIM = 10**6
OSCILLATION = "oscillation"
CELLS = "cells"


def check(document: Document) -> str:
    """Replay the proof of a lower bound.

    Returns:
        The proved sentence, with the class of networks that it speaks about.

    Raises:
        Refuted: the claim does not follow.
        Unsupported: the kind of claim, witness and function is not known here.
        Exhausted: the dimension is beyond the work limit.
    """
    claim, witness = document.claim, document.witness
    if isinstance(claim, WidthLowerClaim) and isinstance(witness, Oscillation):
        return _check_oscillation(document.function, claim, witness.points)
    if isinstance(claim, WidthLowerClaim) and isinstance(witness, CellsWitness):
        return _check_cells(document.function, claim, witness.grid)
    raise Unsupported("a lower bound with this claim and witness")


def _statement(function: Function, claim: WidthLowerClaim, networks: str) -> str:
    shown = (
        f"phi(||x||), phi(r) = {function.text}"
        if isinstance(function, RadialFunction)
        else f"ball({function.radius}, {function.margin})"
    )
    return (
        f"every network of {networks}, with any weights and no skip connection, that is within "
        f"{format_rational(claim.eps)} of f(x) = {shown} for all real x with ||x|| <= 1 in dimension {claim.dim} "
        f"has at least {claim.width} units in its first hidden layer"
    )


def _check_oscillation(function: Function, claim: WidthLowerClaim, points: tuple[fmpq, fmpq]) -> str:
    if claim.width > claim.dim or claim.depth != "any" or claim.activation_class != "any":
        raise Refuted(OSCILLATION, f"this argument gives width >= dim = {claim.dim} at any depth, not the claim")
    first, second = (_value(function, point, claim.dim) for point in points)
    if not abs(first - second) > 2 * arb(claim.eps):
        shown = " and ".join(near(point) for point in points)
        raise Refuted(OSCILLATION, f"between r = {shown} the function does not certainly vary by more than 2 eps")
    return _statement(function, claim, "any depth >= 2 and any activation")


def _value(function: Function, radius: fmpq, dim: int) -> arb:
    if not 0 <= radius <= 1:
        raise Refuted(OSCILLATION, f"r = {near(radius)} is outside [0, 1]")
    if isinstance(function, RadialFunction):
        return profile_at(function.expression, radius, dim)
    if radius <= function.radius - function.margin:
        return arb(1)
    if radius >= function.radius + function.margin:
        return arb(0)
    raise Refuted(OSCILLATION, f"at r = {near(radius)} the ball indicator is free")


def _check_cells(function: Function, claim: WidthLowerClaim, grid: int) -> str:
    if isinstance(function, BallIndicatorFunction):
        raise Unsupported("the cells argument for a ball indicator")
    k = claim.second_layer_width
    if claim.activation_class != "relu" or k is None or (claim.depth != 3 and (claim.depth, k) != (2, 1)):
        raise Refuted(CELLS, "this argument speaks about a ReLU first layer, at depth 3 or at depth 2 with k = 1")
    if not 1 <= k < claim.dim:
        raise Refuted(CELLS, f"it needs 1 <= k < dim, found k = {k} in dimension {claim.dim}")
    if claim.dim > MAX_DIM:
        raise Exhausted(CELLS, f"the dimension {claim.dim} is above {MAX_DIM}")
    longest = longest_window(function.expression, claim.dim, claim.eps, grid)
    if not is_too_narrow(claim.width - 1, claim.dim, k, longest):
        raise Refuted(CELLS, f"{claim.width - 1} units are not certainly too few on a grid of {grid} steps")
    if claim.depth == 2:
        return _statement(function, claim, "depth 2 with ReLU units")
    units = "1 unit (or one direction)" if k == 1 else f"{k} units (or {k} directions)"
    return _statement(function, claim, f"depth 3 with ReLU units in the first and at most {units} in the second layer")


def longest_window(expression: Expression, dim: int, eps: fmpq, grid: int) -> fmpq:
    """Bound D: the longest interval, in s = r^2, of radii in [0, 1] on which phi varies by at most 2 eps.

    Args:
        expression: the profile phi.
        dim: the dimension, which phi may depend on.
        eps: the accuracy, positive.
        grid: the number n of steps of the grid r_i = i/n.

    Raises:
        Refuted: phi is not certainly finite at a grid point.
    """
    values = (profile_at(expression, fmpq(i, grid), dim) for i in range(grid + 1))
    longest = 0
    for first, last in _windows(values, 2 * arb(eps)):
        low, high = max(first - 1, 0), min(last + 1, grid)
        longest = max(longest, high * high - low * low)
    return fmpq(longest, grid * grid)


def _windows(values: Iterable[arb], limit: arb) -> Iterable[tuple[int, int]]:
    """For every end the longest window of consecutive values whose variation is not certainly above the limit.

    The variation is measured from the largest lower end to the smallest upper end of the balls, so it grows with the
    window and two pointers find all longest windows. A queue holds the indices that can still become the extreme one.
    """
    highest: deque[tuple[int, arb]] = deque()
    lowest: deque[tuple[int, arb]] = deque()
    start = 0
    for index, value in enumerate(values):
        low, high = value.lower(), value.upper()
        while highest and highest[-1][1] <= low:
            highest.pop()
        while lowest and lowest[-1][1] >= high:
            lowest.pop()
        highest.append((index, low))
        lowest.append((index, high))
        while highest[0][1] - lowest[0][1] > limit:
            start += 1
            for queue in (highest, lowest):
                if queue[0][0] < start:
                    queue.popleft()
        yield start, index


def is_too_narrow(width: int, dim: int, k: int, longest: fmpq) -> bool:
    """Whether `width` units certainly violate the inequality of the cells, D being at most `longest`."""
    cells = regions = arb(1)
    for i in range(min(width, dim)):
        regions = regions * (width - i) / (i + 1)
        cells += regions
    half = arb(fmpq(dim - k, 2))
    volumes = (arb(fmpq(k, 2)) + 1).lgamma() + (half + 1).lgamma() - (arb(fmpq(dim, 2)) + 1).lgamma()
    return bool(cells.log() < volumes - half * arb(longest).log())
