"""The rank bound: any network needs as many units as dimensions in its first hidden layer.

Theorem (folklore). Let N be a network of any depth and any activation that sees x only through its first hidden layer,
and |N(x) - phi(||x||)| <= eps on the unit ball of R^d. If phi varies by more than 2 eps on [0, 1], that layer has at
least d units.

What is proved here: exactly this; the proof is three lines and stands in `depthsep_check.lower_bound`. For ball
indicators it needs eps < 1/2.
Differences from the source: none.
Cost: two values of phi.
"""

from __future__ import annotations

from fractions import Fraction

from depthsep.functions import BallIndicator, Function
from depthsep.lower_bounds.bound import LowerBound, NoBound, proved_bound, require_request

__all__ = ["THEOREM", "rank_bound"]

THEOREM = "rank"


def rank_bound(function: Function, dim: int, eps: Fraction) -> LowerBound | NoBound:
    """Prove that every network within eps has at least dim units in its first hidden layer.

    Args:
        function: The function.
        dim: Its dimension.
        eps: The accuracy, positive.

    Raises:
        BadInput: eps <= 0, or a function made for another dimension.

    Source:
        The argument is folklore; `depthsep_check.lower_bound` has the proof.

    Example:
        >>> from depthsep.functions import Radial
        >>> rank_bound(Radial("1 - r", 10), 10, Fraction(1, 10)).width_lower
        10
        >>> rank_bound(Radial("1 - r", 10), 10, Fraction(1, 2))
        NoBound(theorem='rank', reason='the function varies by 1 on the ball, ...')
    """
    require_request(function, dim, eps)
    if isinstance(function, BallIndicator):
        points, variation = (Fraction(0), function.outer), Fraction(1)
    else:
        points = function.extreme_points
        (_, low), (high, _) = (function.enclosure(point, point) for point in points)
        variation = high - low
    if not variation > 2 * eps:
        shown = str(variation) if variation.denominator < 1000 else f"about {float(variation):.6g}"
        found = f"the function varies by {shown} on the ball, not by more than 2 eps = {2 * eps}"
        return NoBound(THEOREM, f"{found}: a constant may be as good")
    return proved_bound(
        THEOREM,
        function,
        eps,
        {"depth": "any", "activation_class": "any", "second_layer_width": None},
        dim,
        {"kind": "oscillation", "points": [str(point) for point in points]},
        (
            "x enters through the first hidden layer only",
            f"the function varies by more than 2 eps = {2 * eps} between r = {points[0]} and r = {points[1]}",
        ),
    )
