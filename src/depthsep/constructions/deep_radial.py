"""Depth-3 networks for radial functions: squares of coordinates, summed, then one function of the sum.

N(x) = psi(q(x)), q(x) = sum_i G(x_i) + B, with G even and piecewise linear, psi piecewise linear.

Theorem (Safran & Shamir 2017, arXiv:1610.09887; Daniely 2017, arXiv:1702.08489; the idea is older). A function
phi(||x||) with phi L-Lipschitz is within eps of a depth-3 ReLU network of width O(d^2 L / eps) on the unit ball:
approximate every square to within eps/(d L), then phi of the sum.

What is proved here. Four lemmas, and what the stored numbers make of them; the checker replays Lemmas 2 and 3.

* Lemma 1 (concave tolerance). If |G(t) + c - t^2| <= C(t^2) for |t| <= 1 with C concave, then, by Jensen,
  |q - B + d c - s| <= d C(s/d) for all x with ||x||^2 = s <= 1. So the tolerance of a coordinate may grow with t, and
  only its part below t^2 = 1/d enters; beyond, C goes on along a line. The best C comes from a linear program
  (`univariate.tolerance`).
* Lemma 2 (lines). For every l >= 0: q <= B + (1 + l) s + d max(G - (1 + l) t^2) and
  q >= B + (1 - l) s - d max((1 - l) t^2 - G). The lines that touch the concave envelopes are as good as the envelopes.
* Lemma 3 (second layer). |N - phi| <= eps as soon as psi lies in the tube of `univariate.outer_tube`; the fewest
  units are a minimum-link path in it. No Lipschitz constant of psi or phi is used.
* Lemma 4 (free knots). The fewest knots of G in its tube come from a minimum-link path as well, which starts flat
  (2 units a knot) or with a knot at 0 (one unit, and one more unit in all, for the linear part of 2 relu(t) = |t| + t).

Differences from the source: any continuous phi; O(d log d sqrt(L/eps)) units instead of O(d^2 L/eps), because knots
are spaced by the tolerance that the ball, not the cube, asks for; all constants are searched; the proof is about the
stored floats.

Cost: first layer about d times the integral of dt / sqrt(2 C(t^2)), second layer O(1/sqrt(eps)) for smooth phi. The
search takes about a second, most of it in some ten linear programs and in the exact check; a document lists one slope
per line, a few hundred.
"""

from __future__ import annotations

from fractions import Fraction

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.square_designs import SquareDesign, square_designs, tightened
from depthsep.errors import OutOfReach
from depthsep.functions import Radial
from depthsep.networks.separable import SeparableNetwork
from depthsep.progress import Progress, silent
from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.square_layer import support_lines

__all__ = ["search"]

_SAMPLE_STEP = 1 / 64  # in units of eps
_CLAIM_MARGINS = (1.0005, 1.003, 1.02)
_MOST_STEPS = 2**15


def search(function: Radial, eps: Fraction, progress: Progress = silent) -> CertifiedNetwork:
    """Find a small depth-3 network within eps of x -> phi(||x||) on the unit ball, with a checked proof.

    Args:
        function: The radial function; phi is continuous on [0, 1].
        eps: The accuracy, positive.
        progress: Called with a short text at every stage.

    Returns:
        The network with the fewest units whose proof closes.

    Raises:
        OutOfReach: phi varies by more than 2^15 eps on its way from 0 to 1, or no proof closes.

    >>> search(Radial("1 - r", dim=10), Fraction(1, 10)).widths
    (40, 2)
    >>> search(Radial("1 - r", dim=10), Fraction(1, 10**9))
    Traceback (most recent call last):
    ...
    depthsep.errors.OutOfReach: a depth-3 network for "1 - r" in dimension 10 with error 1/1000000000
      found:  the profile varies by 1e+09 times the error on its way from 0 to 1
      needed: at most 32768 times, for a search in float64
      do:     ask for a larger eps
    """
    samples = ProfileSamples.of(function.profile, float(eps) * _SAMPLE_STEP)
    asked = f'a depth-3 network for "{function.text}" in dimension {function.dim} with error {eps}'
    if samples.variation > _MOST_STEPS * eps:
        raise OutOfReach(
            asked,
            found=f"the profile varies by {samples.variation / eps:.3g} times the error on its way from 0 to 1",
            needed=f"at most {_MOST_STEPS} times, for a search in float64",
            do="ask for a larger eps",
        )
    designs = sorted(square_designs(samples, function.dim, float(eps), progress), key=lambda design: design.size)
    for design in designs:
        progress(f"proving {design.layer.width:,} + {len(design.psi.thresholds)} neurons", None)
        better, error = tightened(design, samples, float(eps))
        errors = (error * margin for margin in _CLAIM_MARGINS)
        certified = first_proved(function, _network(better), support_lines(*better.slopes), errors, eps)
        if certified is not None:
            return certified
    raise OutOfReach(asked, found=f"no proof for any of {len(designs)} networks", do="ask for a larger eps")


def _network(design: SquareDesign) -> SeparableNetwork:
    psi, layer = design.psi, design.layer
    sides = (psi.side,) * len(psi.thresholds)
    inner = (layer.dim, layer.thresholds, layer.weights, layer.affine_offset)
    return SeparableNetwork(*inner, psi.bias, psi.thresholds, sides, psi.weights)
