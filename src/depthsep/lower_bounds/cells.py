"""The cells bound: few ReLU units cut the ball into few cells, and a cell on which the network fits must be small.

Theorem. Let N have a first hidden layer of w ReLU units and depend behind it on k < d linear forms of that layer only:
depth 3 with k units, or k directions, in the second layer (any activation there), or depth 2 with k = 1. If
|N(x) - phi(||x||)| <= eps on the unit ball of R^d, then

    sum_{i <= d} binomial(w, i) >= v_d / (v_k v_{d-k} D^{(d-k)/2})

where v_j is the volume of the unit ball of R^j and D the length, in r^2, of the longest interval of radii on which phi
varies by at most 2 eps.

What is proved here: exactly this, for any weights; the proof (hyperplane arrangements, isodiametric inequality, Fubini)
stands in `depthsep_check.lower_bound`, which bounds D on a grid and encloses both sides.
Differences from the source: depthsep's own statement; for 1 - r, D = 4 eps (1 - eps) and w grows like d / sqrt(eps).
Cost: one pass over the grid, O(dim log width) to find the width.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from flint import fmpq

from depthsep.errors import BadInput
from depthsep.functions import BallIndicator, Function, Radial
from depthsep.lower_bounds.bound import LowerBound, NoBound, proved_bound, require_request
from depthsep_check.lower_bound import is_too_narrow, longest_window
from depthsep_check.numbers import precision

__all__ = ["THEOREM", "cells_bound"]

THEOREM = "cells"

_BITS = 128
_COARSE_GRID = 2**10
_FINEST_GRID = 2**18
_STEPS_PER_WINDOW = 2000  # D is then too large by 0.2 percent at most, the width too small by 0.1


def cells_bound(
    function: Function, dim: int, eps: Fraction, depth: int, second_layer_width: int = 1
) -> LowerBound | NoBound:
    """Prove a lower bound on the first ReLU layer, for any weights.

    Args:
        function: The function.
        dim: Its dimension.
        eps: The accuracy, positive.
        depth: 2, or 3 for networks with a second hidden layer.
        second_layer_width: At depth 3 the largest number of units (or directions) of the second layer; 1 at depth 2.

    Returns:
        The bound, or why there is none that says more than the rank bound.

    Raises:
        BadInput: eps <= 0, a function made for another dimension, or a class that the theorem does not know.

    Source:
        depthsep's own; `depthsep_check.lower_bound` has the proof.

    Example:
        >>> from depthsep.functions import Radial
        >>> cells_bound(Radial("1 - r", 10), 10, Fraction(1, 100), depth=3).width_lower
        21
        >>> cells_bound(Radial("1 - r", 10), 10, Fraction(1, 100), depth=3, second_layer_width=10).reason
        'it needs a second layer of fewer than dim = 10 units, not 10'
    """
    require_request(function, dim, eps)
    _require_class(depth, second_layer_width)
    if isinstance(function, BallIndicator):
        return NoBound(THEOREM, "the argument needs a profile that varies everywhere; a ball indicator is constant")
    if second_layer_width >= dim:
        units = "dim > 1" if depth == 2 else f"a second layer of fewer than dim = {dim} units, not {second_layer_width}"
        return NoBound(THEOREM, f"it needs {units}")
    with precision(_BITS):
        grid, longest = _measure(function, eps)
        width = _largest_width(dim, second_layer_width, longest)
    if width <= dim:
        return NoBound(
            THEOREM, f"at depth {depth} it gives a width of at least {width}, no more than the rank bound can"
        )
    behind = "N is affine on every cell" if depth == 2 else f"at most {second_layer_width} units in the second layer"
    return proved_bound(
        THEOREM,
        function,
        eps,
        {"depth": depth, "activation_class": "relu", "second_layer_width": second_layer_width},
        width,
        {"kind": "cells", "grid": grid},
        (
            "x enters through the first hidden layer only, whose units are ReLU",
            behind,
            f"r^2 changes by at most {_shown_up(longest)} where the function varies by at most 2 eps = {2 * eps}",
        ),
    )


def _require_class(depth: int, second_layer_width: int) -> None:
    if depth not in (2, 3) or second_layer_width < 1 or (depth == 2 and second_layer_width != 1):
        raise BadInput(
            f"the cells bound at depth {depth} with second_layer_width = {second_layer_width}",
            needed="depth 3 with at least one unit in the second layer, or depth 2 with second_layer_width = 1",
        )


@lru_cache(maxsize=8)
def _measure(function: Radial, eps: Fraction) -> tuple[int, fmpq]:
    """Choose a grid that is fine compared with D, and bound D on it."""
    accuracy = fmpq(eps.numerator, eps.denominator)
    coarse = longest_window(function.expression, function.dim, accuracy, _COARSE_GRID)
    grid = _COARSE_GRID
    while grid < _FINEST_GRID and grid * coarse < _STEPS_PER_WINDOW:
        grid *= 2
    return grid, longest_window(function.expression, function.dim, accuracy, grid)


def _largest_width(dim: int, k: int, longest: fmpq) -> int:
    """Give the largest W such that W - 1 units are certainly too few."""
    low, high = 0, 1
    if not is_too_narrow(0, dim, k, longest):
        return 0
    while is_too_narrow(high, dim, k, longest):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_too_narrow(middle, dim, k, longest) else (low, middle)
    return low + 1


def _shown_up(value: fmpq) -> str:
    """Six decimals, rounded up."""
    return f"{-(-int(value.p) * 10**6 // int(value.q)) / 10**6:.6f}"
