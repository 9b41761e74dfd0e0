"""Depth-3 networks for functions of an inner product, through the squares of (x + x')/2.

N(x, x') = psi(q(y)), y = (x + x')/2: for unit vectors ||y||^2 = (1 + t)/2, t = <x, x'>; on pairs of the ball, where
norms are free, t = ||(x + x')/2||^2 - ||(x - x')/2||^2.

Theorem (Daniely 2017, arXiv:1702.08489, Section 4). A function f(<x, x'>) on pairs of unit vectors, f L-Lipschitz, is
within eps of a depth-3 ReLU network with 16 d^2 L/eps neurons, while depth 2 with weights at most 2^d needs
exponentially many for sin(pi d^3 t).

What is proved here. d squares (2 d on balls), not d^2 products, in one hidden layer whose knots are spaced for the sum
and not for each square (`square_stage`): about k(d) d sqrt(L/eps) units, k(d) growing like log d. Then

* where f is a sinusoid, one half period of psi is computed and repeated by reflection (`phase_profile`): two hinges a
  half period for eps = 0.1 of the amplitude. The proof is about one half period and a slack, so neither the document
  nor its check depends on the number of neurons;
* any other f, or a sinusoid of few periods, gets a psi of its own, the fewest hinges in the tube that the uncertainty
  of q leaves (`deep_radial`'s second layer; for unit vectors f is the radial function f(2 r^2 - 1) of y).

The network with the fewest neurons whose proof closes is taken. With `max_weight` all weights and biases obey a bound:
layers are rescaled by powers of two and neurons of the last hidden layer split into equal ones, which changes nothing
else.

Differences from the source: the domain's floating-point unit vectors are covered (norms off by at most 2^-40, or
2^-48 where f has millions of periods); pairs of the ball; constants are searched; the proof is about stored numbers.

`source_network` is the source's own, for comparison: squares and f interpolated at equally spaced places, with the
number of neurons that the source states.

Cost: a second for sinusoids of any frequency; a general f as `deep_radial`.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from depthsep.certificates.document import CertifiedNetwork
from depthsep.constructions.folded_search import FoldedDesign, by_neurons, cheapest_certified, not_found
from depthsep.constructions.general_designs import GeneralDesign, general_designs
from depthsep.constructions.phase_designs import layouts
from depthsep.constructions.phase_target import PhaseTarget
from depthsep.constructions.scaled_squares import scaled_knots
from depthsep.constructions.square_stage import MOST_KNOTS, SquareKnots
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import InnerProduct
from depthsep.progress import Progress, silent
from depthsep.source_widths import lipschitz_upper
from depthsep.univariate.outer_tube import Hinges

__all__ = ["search", "source_network"]

_HIDDEN_LAYERS = 2
_FEW_HALF_PERIODS = 200  # up to here a sinusoid may do better with a profile that is not periodic
_MOST_HINGES = 2**13  # of the source's second layer: its check takes time in proportion


def search(
    function: InnerProduct, eps: Fraction, max_weight: Fraction | None = None, progress: Progress = silent
) -> CertifiedNetwork:
    """Find a small depth-3 network within eps of (x, x') -> f(<x, x'>), with a checked proof.

    Args:
        function: The function and its domain.
        eps: The accuracy, positive.
        max_weight: A bound of all weights and biases.
        progress: Called with a short text at every stage.

    Returns:
        The network with the fewest neurons whose proof closes.

    Raises:
        OutOfReach: No proof closes, or no network has weights so small.

    >>> search(InnerProduct("sin(pi*d^3*t)", dim=10), Fraction(1, 10)).widths
    (5360, 4002)
    >>> search(InnerProduct("3 + sin(t)", dim=10), Fraction(1, 10), max_weight=Fraction(2))
    Traceback (most recent call last):
    depthsep.errors.OutOfReach: a depth-3 network for "3 + sin(t)" in dimension 10 with error 1/10 and weights at most 2
      found:  no proof for any network with such weights
      do:     ask for a larger eps or for larger weights
    """
    target = PhaseTarget.of(function, eps)
    designs: list[FoldedDesign] = [] if target is None else list(layouts(target, _HIDDEN_LAYERS))
    if target is None or target.span <= _FEW_HALF_PERIODS:
        designs += general_designs(function, eps, _HIDDEN_LAYERS, progress)
    found = cheapest_certified(designs, function, eps, max_weight, by_neurons, progress)
    if found is None:
        raise not_found(function, eps, _HIDDEN_LAYERS + 1, max_weight)
    return found


def source_network(function: InnerProduct, eps: Fraction) -> CertifiedNetwork:
    """Build the network of the source, with its 16 d^2 L/eps neurons and equally spaced hinges, and prove it.

    Args:
        function: The function, on pairs of unit vectors, with a Lipschitz constant that balls can find.
        eps: The accuracy, positive.

    Returns:
        The network with its proof.

    Raises:
        BadInput: The function is on pairs of the ball, or no Lipschitz constant is found.
        OutOfReach: A document does not hold so many hinges.

    >>> sum(source_network(InnerProduct("sin(pi*t)", dim=2), Fraction(1, 5)).widths)
    1036
    """
    asked = f'the network of Daniely 2017 for "{function.text}" in dimension {function.dim} with error {eps}'
    lipschitz = lipschitz_upper(function) if function.domain == "sphere-pairs" else None
    if not lipschitz:
        raise BadInput(asked, needed="a Lipschitz function, not a constant, on pairs of unit vectors")
    steepness = lipschitz / eps
    knots, hinges = math.floor(8 * function.dim * steepness), math.ceil(2 * steepness)
    if knots > MOST_KNOTS or hinges > _MOST_HINGES:
        raise OutOfReach(
            asked,
            found=f"{knots:,} knots per coordinate and {hinges:,} hinges",
            needed=f"at most {MOST_KNOTS:,} and {_MOST_HINGES:,}",
            do="compare at a larger eps or in a smaller dimension: the width is 16 d^2 L/eps",
        )
    squares = scaled_knots(_tangents(knots, function.dim), 1.0, "sphere-pair", function.dim)
    psi = _interpolant(function, hinges)
    shift = -squares.centre
    design = GeneralDesign("sphere-pair", function.dim, squares.squares, shift, psi, squares.witness, float(eps) / 2)
    found = design.certified(function, eps, None)
    if found is None:
        raise not_found(function, eps, _HIDDEN_LAYERS + 1, None)
    return found


def _tangents(knots: int, dim: int) -> SquareKnots:
    """The tangents of t^2 at multiples of h meet at (j + 1/2) h, and stay above t^2 - h^2/4."""
    step = 1 / (knots + 0.5)
    thresholds = (np.arange(knots) + 0.5) * step
    return SquareKnots(tuple(map(float, thresholds)), (2 * step,) * knots, step**2 / 8, 0.0)


def _interpolant(function: InnerProduct, hinges: int) -> Hinges:
    """f(2 s - 1) interpolated at equally spaced s."""
    s = np.linspace(0.0, 1.0, hinges + 1)
    values = function.profile(2 * s - 1)
    weights = np.diff(np.diff(values) * hinges, prepend=0.0)
    return Hinges(float(values[0]), tuple(map(float, s[:-1])), "right", tuple(map(float, weights)))
