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

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.errors import OutOfReach
from depthsep.functions import Radial
from depthsep.networks.separable import SeparableNetwork
from depthsep.progress import Progress, silent
from depthsep.univariate.outer_tube import Hinges, OuterTube
from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.square_layer import Envelope, SquareLayer, support_lines
from depthsep.univariate.tolerance import Tolerance, best_tolerance
from depthsep.univariate.tube_path import min_link_path

Floats = NDArray[np.float64]

__all__ = ["search"]

# Shares of eps given to the first layer, decreasing; the second layer lives on what is left.
_SHARES = (
    0.998, 0.995, 0.99, 0.985, 0.98, 0.975, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.88, 0.86, 0.84, 0.82, 0.8,
    0.77, 0.74, 0.71, 0.68, 0.65, 0.62, 0.58, 0.54, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1,
)  # fmt: skip
_SAMPLE_STEP = 1 / 64  # in units of eps
_DESIGN = 0.9995  # psi is designed for at most this share of eps: sampling hides the rest
_CLAIM_MARGINS = (1.0005, 1.003, 1.02)
_GATES_PER_UNIT = 100
_FEWEST_GATES = 4000
_EPS_STEPS = 6
_MOST_STEPS = 2**15


@dataclass(frozen=True)
class _Design:
    """A network in floating point, before its proof."""

    layer: SquareLayer
    slopes: tuple[list[float], list[float]]
    psi: Hinges

    @property
    def size(self) -> int:
        return self.layer.width + len(self.psi.thresholds)

    @property
    def network(self) -> SeparableNetwork:
        psi, layer = self.psi, self.layer
        sides = (psi.side,) * len(psi.thresholds)
        inner = (layer.dim, layer.thresholds, layer.weights, layer.affine_offset)
        return SeparableNetwork(*inner, psi.bias, psi.thresholds, sides, psi.weights)


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
    designs = sorted(_designs(samples, function.dim, float(eps), progress), key=lambda design: design.size)
    for design in designs:
        progress(f"proving {design.layer.width:,} + {len(design.psi.thresholds)} neurons", None)
        tightened, error = _tightened(design, samples, float(eps))
        errors = (error * margin for margin in _CLAIM_MARGINS)
        certified = first_proved(function, tightened.network, support_lines(*tightened.slopes), errors, eps)
        if certified is not None:
            return certified
    raise OutOfReach(asked, found=f"no proof for any of {len(designs)} networks", do="ask for a larger eps")


def _designs(samples: ProfileSamples, dim: int, eps: float, progress: Progress) -> Iterator[_Design]:
    """Designs with ever wider first layers, until a wider one cannot pay off."""
    least, greatest = float(samples.values.min()), float(samples.values.max())
    if greatest - least <= 2 * eps:
        level = Hinges((least + greatest) / 2, (), "right", ())
        yield _Design(SquareLayer(dim, (), (), None), ([], [0.0]), level)
        if greatest - least <= 2 * _DESIGN * eps:
            return
    identity = Envelope(np.zeros(1), np.zeros(1), np.ones(1))
    fewest_hinges = len(OuterTube.of(samples, identity, identity, eps).fewest_hinges(_DESIGN * eps).thresholds)
    family = _Family(samples, dim, 2 * eps)
    units: int | None = family.fewest_units()
    best = math.inf
    while units is not None and units * dim + fewest_hinges < best:
        progress(f"trying {units} units per coordinate", None)
        design = _completed(family.layer(units), samples, eps)
        if design is not None:
            best = min(best, design.size)
            yield design
        units = family.more_units(units)


class _Family:
    """First layers by their number of units per coordinate, each with the least share of eps that it can do with."""

    def __init__(self, samples: ProfileSamples, dim: int, width: float) -> None:
        self._samples, self._dim, self._width = samples, dim, width
        self._paths: dict[int, dict[bool, tuple[Floats, Floats]]] = {}

    def fewest_units(self) -> int:
        """The least number of units per coordinate."""
        return min(self._units(0, odd) for odd in (False, True))

    def more_units(self, units: int) -> int | None:
        """The next number of units to try; None where the first layer is as exact as it can get."""
        last = len(_SHARES) - 1
        return None if units >= max(self._units(last, odd) for odd in (False, True)) else units + 1

    def layer(self, units: int) -> SquareLayer | None:
        """The layer with at most that many units, and of that parity, for the least share; None if there is none."""
        odd = bool(units % 2)
        if self._units(0, odd) > units:
            return None
        good, bad = 0, len(_SHARES)
        while bad - good > 1:
            middle = (good + bad) // 2
            if self._units(middle, odd) <= units:
                good = middle
            else:
                bad = middle
        return SquareLayer.from_path(self._dim, *self._path(good, odd))

    def _units(self, share: int, odd: bool) -> int:
        return 2 * (len(self._path(share, odd)[0]) - 2) + odd

    def _path(self, share: int, odd: bool) -> tuple[Floats, Floats]:
        """G + c for one share, from a flat start, or with a knot at 0 (odd)."""
        if share not in self._paths:
            tolerance = best_tolerance(self._samples, self._dim, self._width * _SHARES[share])
            t, low, high = _square_tube(tolerance, self._dim)
            self._paths[share] = {
                False: min_link_path(t, low, high, start="flat"),
                True: min_link_path(t, low, high),
            }
        return self._paths[share][odd]


def _square_tube(tolerance: Tolerance, dim: int) -> tuple[Floats, Floats, Floats]:
    """The tube t^2 -+ C(t^2) for one coordinate, at abscissae that get denser towards 0."""
    gates = max(_FEWEST_GATES, _GATES_PER_UNIT * int(tolerance.units))
    graded = np.geomspace(1e-4 / math.sqrt(dim), 1.0, gates)
    t = np.unique(np.concatenate((graded, np.linspace(0.0, 1.0, gates // 2))))
    slack = tolerance(dim * t**2) / dim
    return t, t**2 - slack, t**2 + slack


def _completed(layer: SquareLayer | None, samples: ProfileSamples, eps: float) -> _Design | None:
    """Add the second layer with the fewest units; None when no psi is good enough."""
    if layer is None:
        return None
    slopes = layer.contact_slopes()
    tube = OuterTube.of(samples, *layer.envelopes(*slopes), eps)
    goal = _DESIGN * eps
    return _Design(layer, slopes, tube.fewest_hinges(goal)) if tube.least_eps < goal else None


def _tightened(design: _Design, samples: ProfileSamples, eps: float) -> tuple[_Design, float]:
    """The same with the psi of about the least error among those with that many units, and this error; estimated."""
    tube = OuterTube.of(samples, *design.layer.envelopes(*design.slopes), eps)
    psi, good, bad = design.psi, _DESIGN * eps, tube.least_eps
    for _ in range(_EPS_STEPS if bad < good else 0):  # a constant may be as good as it gets already
        middle = (good + bad) / 2
        trial = tube.fewest_hinges(middle)
        if len(trial.thresholds) <= len(psi.thresholds):
            psi, good = trial, middle
        else:
            bad = middle
    return replace(design, psi=psi), tube.error_of(psi)
