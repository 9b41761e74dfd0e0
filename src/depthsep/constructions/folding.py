"""Networks of any depth from 3 on, for radial functions and inner products: squares and phases by folding.

Theorem (Telgarsky 2015, arXiv:1509.08101). The triangle wave of 2^n pieces is a ReLU network of width 2 and depth
n + 1; shallow networks need exponentially many units for it. Theorem (Yarotsky 2017, arXiv:1610.01145). From such waves
t^2 is approximated to within 4^-n by a network of width O(1) and depth O(n), and functions of d variables with
width 2 d + 1 and depth O(log(d/eps)).

What is proved here. With k - 1 hidden layers, a of them fold the coordinates, with radices M_1, ..., M_a of any size:
t^2 = I_M(t) - (u - u^2)/M^2, u = tri_M(t), so that the sum of D squares is known to within D/(8 prod M_l^2); one
accumulator serves all coordinates. b layers fold the phase of a sinusoid with radices m_1, ..., m_b, and the last one
holds n copies of the profile of a half period, n prod m_k at least the number of half periods. One layer of knots
(`square_stage`) may stand for the folds. Every split a + b + 1 = k - 1 and every profile is tried, and the radices are
the narrowest that are enough: the least largest layer wins, then the fewest neurons.

Differences from the source: mixed radices; phases and squares share the depth; the proof is about stored numbers and
does not grow with the network.

Cost: a second for sinusoids of any frequency.
"""

from __future__ import annotations

from fractions import Fraction

from depthsep.certificates.document import CertifiedNetwork
from depthsep.constructions.folded_search import FoldedDesign, by_largest_layer, cheapest_certified, not_found
from depthsep.constructions.general_designs import general_designs
from depthsep.constructions.phase_designs import layouts
from depthsep.constructions.phase_target import PhaseTarget
from depthsep.errors import BadInput
from depthsep.functions import InnerProduct, Radial
from depthsep.progress import Progress, silent

__all__ = ["search"]

_LEAST_DEPTH = 3
_MOST_DEPTH = 64
_FEW_HALF_PERIODS = 16  # up to here a sinusoid may do better with a profile that is not periodic


def search(
    function: Radial | InnerProduct,
    eps: Fraction,
    depth: int,
    max_weight: Fraction | None = None,
    progress: Progress = silent,
) -> CertifiedNetwork:
    """Find a narrow network of a given depth within eps of a function, with a checked proof.

    Args:
        function: A radial function on the unit ball, or a function of an inner product.
        eps: The accuracy, positive.
        depth: The number of weight layers, from 3 to 64.
        max_weight: A bound of all weights and biases.
        progress: Called with a short text at every stage.

    Returns:
        The network with the least largest layer whose proof closes.

    Raises:
        BadInput: The depth is not served.
        OutOfReach: No proof closes, or no network has weights so small.

    >>> search(InnerProduct("sin(pi*d^3*t)", dim=10), Fraction(1, 10), depth=8).widths
    (60, 51, 51, 51, 16, 16, 16)
    >>> search(Radial("1 - r", dim=10), Fraction(1, 10), depth=1)
    Traceback (most recent call last):
    depthsep.errors.BadInput: a depth-1 network by folding
      needed: a depth from 3 to 64
    """
    if not _LEAST_DEPTH <= depth <= _MOST_DEPTH:
        raise BadInput(f"a depth-{depth} network by folding", needed=f"a depth from {_LEAST_DEPTH} to {_MOST_DEPTH}")
    target = PhaseTarget.of(function, eps)
    designs: list[FoldedDesign] = [] if target is None else list(layouts(target, depth - 1))
    if target is None or target.span <= _FEW_HALF_PERIODS:
        designs += general_designs(function, eps, depth - 1, progress)
    found = cheapest_certified(designs, function, eps, max_weight, by_largest_layer, progress)
    if found is None:
        raise not_found(function, eps, depth, max_weight)
    return found
