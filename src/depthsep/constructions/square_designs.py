"""Depth-3 designs psi(q(x)), q close to ||x||^2, for one radial profile: the search that two constructions share.

The lemmas are those of `deep_radial`: a concave tolerance of q (Lemma 1, `univariate.tolerance`), the fewest knots in
it (Lemma 4), and the fewest hinges of psi in the tube that is left (Lemma 3, `univariate.outer_tube`). First layers are
tried by their number of units per coordinate, each with the least share of eps that it can do with. Floating point:
whoever uses a design proves it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depthsep.progress import Progress
from depthsep.univariate.outer_tube import Hinges, OuterTube
from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.square_layer import Envelope, SquareLayer
from depthsep.univariate.tolerance import Tolerance, best_tolerance
from depthsep.univariate.tube_path import min_link_path

Floats = NDArray[np.float64]

__all__ = ["SquareDesign", "square_designs", "tightened"]

# Shares of eps given to the first layer, decreasing; the second layer lives on what is left.
_SHARES = (
    0.998, 0.995, 0.99, 0.985, 0.98, 0.975, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.88, 0.86, 0.84, 0.82, 0.8,
    0.77, 0.74, 0.71, 0.68, 0.65, 0.62, 0.58, 0.54, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1,
)  # fmt: skip
_DESIGN = 0.9995  # psi is designed for at most this share of eps: sampling hides the rest
_GATES_PER_UNIT = 100
_FEWEST_GATES = 4000
_EPS_STEPS = 6


@dataclass(frozen=True)
class SquareDesign:
    """A network in floating point, before its proof.

    Args:
        layer: The first layer.
        slopes: The slopes of its contact lines, below and above.
        psi: The second layer.
    """

    layer: SquareLayer
    slopes: tuple[list[float], list[float]]
    psi: Hinges

    @property
    def size(self) -> int:
        """The number of units."""
        return self.layer.width + len(self.psi.thresholds)


def square_designs(
    samples: ProfileSamples, dim: int, eps: float, progress: Progress, parities: tuple[bool, ...] = (False, True)
) -> Iterator[SquareDesign]:
    """Designs with ever wider first layers, until a wider one cannot pay off.

    Args:
        samples: The profile.
        dim: The dimension.
        eps: The accuracy.
        progress: Told the number of units per coordinate that is tried.
        parities: Whether first layers may be flat around 0 (False), have a knot at 0 (True), or either.
    """
    least, greatest = float(samples.values.min()), float(samples.values.max())
    if greatest - least <= 2 * eps:
        level = Hinges((least + greatest) / 2, (), "right", ())
        yield SquareDesign(SquareLayer(dim, (), (), None), ([], [0.0]), level)
        if greatest - least <= 2 * _DESIGN * eps:
            return
    identity = Envelope(np.zeros(1), np.zeros(1), np.ones(1))
    fewest_hinges = len(OuterTube.of(samples, identity, identity, eps).fewest_hinges(_DESIGN * eps).thresholds)
    family = _Family(samples, dim, 2 * eps, parities)
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

    def __init__(self, samples: ProfileSamples, dim: int, width: float, parities: tuple[bool, ...]) -> None:
        self._samples, self._dim, self._width, self._parities = samples, dim, width, parities
        self._paths: dict[int, dict[bool, tuple[Floats, Floats]]] = {}

    def fewest_units(self) -> int:
        """The least number of units per coordinate."""
        return min(self._units(0, odd) for odd in self._parities)

    def more_units(self, units: int) -> int | None:
        """The next number of units to try; None where the first layer is as exact as it can get."""
        last = len(_SHARES) - 1
        return None if units >= max(self._units(last, odd) for odd in self._parities) else units + 1

    def layer(self, units: int) -> SquareLayer | None:
        """The layer with at most that many units, and of that parity, for the least share; None if there is none."""
        odd = bool(units % 2)
        if odd not in self._parities or self._units(0, odd) > units:
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


def _completed(layer: SquareLayer | None, samples: ProfileSamples, eps: float) -> SquareDesign | None:
    """Add the second layer with the fewest units; None when no psi is good enough."""
    if layer is None:
        return None
    slopes = layer.contact_slopes()
    tube = OuterTube.of(samples, *layer.envelopes(*slopes), eps)
    goal = _DESIGN * eps
    return SquareDesign(layer, slopes, tube.fewest_hinges(goal)) if tube.least_eps < goal else None


def tightened(design: SquareDesign, samples: ProfileSamples, eps: float) -> tuple[SquareDesign, float]:
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
