"""Folded networks for functions that are no sinusoids: exact squares and one profile, the fewest hinges in its tube.

The network is psi(q + shift), q close to what it reads: s = ||y||^2 for y = x or y = (x + x')/2, where unit vectors
have s = (1 + t)/2; t itself for pairs of the ball. With knots on the first two, the designs are those of depth 3
(`square_designs`) for the profile of the norm of y, phi(r) or f(2 r^2 - 1). Otherwise q is within a constant delta, and
psi lives in the tube of `univariate.outer_tube` for this band; delta is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.folded_search import FoldedDesign, by_largest_layer, by_neurons
from depthsep.constructions.phase_target import domain_slack, reading_of
from depthsep.constructions.scaled_squares import (
    ScaledSquares,
    accumulators,
    coordinates,
    narrowest_folds,
    scaled_folds,
    scaled_knots,
)
from depthsep.constructions.square_designs import SquareDesign, square_designs, tightened
from depthsep.constructions.square_stage import fewest_knots
from depthsep.errors import OutOfReach
from depthsep.functions import InnerProduct, Radial
from depthsep.networks.folded import FoldedNetwork, Folds, Knots
from depthsep.progress import Progress
from depthsep.univariate.outer_tube import Hinges, OuterTube
from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.square_layer import support_lines

Floats = NDArray[np.float64]

__all__ = ["GeneralDesign", "general_designs"]

_SAMPLE_STEP = 1 / 64  # in units of eps
_DESIGN = 0.9995  # psi is designed for at most this share of eps
_CLAIM_MARGINS = (1.0005, 1.003, 1.02)
_MOST_STEPS = 2**15
_WIDEST_BAND = 0.25
_BAND_HALVINGS = 40
_BAND_STEPS = 8
_NEXT_BAND = 0.85
_MOST_BANDS = 40
_SPARE = 0.999  # of the band, for the squares


@dataclass(frozen=True)
class GeneralDesign:
    """A network in floating point, before its proof.

    Args:
        reads: What it reads.
        dim: The dimension.
        squares: The squares.
        shift: Added to them.
        psi: The profile of the sum.
        witness: The WITNESS object.
        error: Its error, estimated.
    """

    reads: str
    dim: int
    squares: Knots | Folds
    shift: float
    psi: Hinges
    witness: dict[str, Any]
    error: float

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return (*_square_widths(self.squares, self.reads, self.dim), len(self._hinges.thresholds))

    @property
    def _hinges(self) -> Hinges:
        """psi, with one idle hinge where it is a constant: a layer has at least one unit."""
        return self.psi if self.psi.thresholds else Hinges(self.psi.bias, (0.5,), "right", (0.0,))

    def certified(
        self, function: Radial | InnerProduct, eps: Fraction, max_weight: Fraction | None
    ) -> CertifiedNetwork | None:
        """The network with its proof; None where the checker does not accept it, or its weights cannot be so small."""
        psi = self._hinges
        network = FoldedNetwork(
            dim=self.dim,
            reads=self.reads,
            squares=self.squares,
            shift=self.shift,
            radices=(),
            bias=psi.bias,
            thresholds=psi.thresholds,
            sides=(psi.side,) * len(psi.thresholds),
            weights=psi.weights,
            repeats=1,
            exponents=(0,) * len(self.widths),
            copies=1,
        )
        scaled = network if max_weight is None else network.scaled_to(max_weight)
        if scaled is None:
            return None
        more = {
            "norm_slack": str(domain_slack(function)),
            "max_weight": None if max_weight is None else str(max_weight),
        }
        errors = (self.error * margin for margin in _CLAIM_MARGINS)
        return first_proved(function, scaled, self.witness, errors, eps, **more)


def _square_widths(squares: Knots | Folds, reads: str, dim: int) -> tuple[int, ...]:
    count = coordinates(reads, dim)
    if isinstance(squares, Knots):
        return (2 * count * len(squares.thresholds),)
    return (2 * count * squares.radices[0], *(radix * count + accumulators(reads) for radix in squares.radices[1:]))


def general_designs(
    function: Radial | InnerProduct, eps: Fraction, hidden_layers: int, progress: Progress
) -> Sequence[FoldedDesign]:
    """Designs with that many hidden layers.

    Raises:
        OutOfReach: The function varies by more than 2^15 eps over its domain.
    """
    reads = reading_of(function)
    samples = ProfileSamples.of(_profile(function, reads), float(eps) * _SAMPLE_STEP)
    if samples.variation > _MOST_STEPS * eps:
        raise OutOfReach(
            f'a depth-{hidden_layers + 1} network for "{function.text}" in dimension {function.dim} with error {eps}',
            found=f"the function varies by {samples.variation / float(eps):.3g} times the error over its domain",
            needed=f"at most {_MOST_STEPS} times, for a search in float64 (sinusoids have no such limit)",
            do="ask for a larger eps",
        )
    if hidden_layers == 2 and reads != "ball-pair":
        found = square_designs(samples, function.dim, float(eps), progress, parities=(False,))
        return [_KnotDesign(design, samples, reads, float(eps)) for design in found]
    return _Bands(samples, reads, function.dim, float(eps)).designs(hidden_layers)


def _profile(function: Radial | InnerProduct, reads: str) -> Callable[[Floats], Floats]:
    """The function of the norm of y in [0, 1]; for pairs of the ball of (1 + t)/2."""
    if reads == "norm":
        return function.profile
    if reads == "sphere-pair":
        return lambda r: function.profile(2 * r**2 - 1)
    return lambda u: function.profile(2 * u - 1)


@dataclass(frozen=True)
class _KnotDesign:
    """A design of `square_designs`; its profile gets its least error only when it is to be proved."""

    design: SquareDesign
    samples: ProfileSamples
    reads: str
    eps: float

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return self._general(self.design, self.eps).widths

    def certified(
        self, function: Radial | InnerProduct, eps: Fraction, max_weight: Fraction | None
    ) -> CertifiedNetwork | None:
        """The network with its proof; None where the checker does not accept it, or its weights cannot be so small."""
        return self._general(*tightened(self.design, self.samples, self.eps)).certified(function, eps, max_weight)

    def _general(self, design: SquareDesign, error: float) -> GeneralDesign:
        layer = design.layer
        knots = Knots(layer.thresholds, layer.weights) if layer.thresholds else Knots((0.5,), (1.0,))
        witness = {**support_lines(*design.slopes), "factor": (1.0).hex()}
        return GeneralDesign(self.reads, layer.dim, knots, 0.0, design.psi, witness, error)


class _Bands:
    """Designs whose q is within a constant delta of what is read."""

    def __init__(self, samples: ProfileSamples, reads: str, dim: int, eps: float) -> None:
        self._samples, self._reads, self._dim, self._eps = samples, reads, dim, eps

    def designs(self, hidden_layers: int) -> list[GeneralDesign]:
        """Designs for ever smaller delta, until the squares alone cost more than the best one."""
        goal, found = _DESIGN * self._eps, []
        cost = by_neurons if hidden_layers == 2 else by_largest_layer
        band, best, tried = self._widest_band(goal), None, 0
        while band is not None and tried < _MOST_BANDS:
            squares = self._squares(band, hidden_layers - 1)
            if squares is None:
                break
            tube = self._tube(squares.deviation)
            if tube.least_eps < goal:
                found.append(self._design(squares, tube, goal))
                best = min(filter(None, (best, cost(found[-1].widths))))
            if best is not None and cost(_square_widths(squares.squares, self._reads, self._dim)) > best:
                break
            band, tried = _NEXT_BAND * band, tried + 1
        return found

    def _widest_band(self, goal: float) -> float | None:
        """About the largest delta for which there is a psi."""
        bad, good = _WIDEST_BAND, _WIDEST_BAND
        for _ in range(_BAND_HALVINGS):
            if self._tube(good).least_eps < goal:
                break
            bad, good = good, good / 2
        else:
            return None
        for _ in range(_BAND_STEPS if bad > good else 0):
            middle = (good + bad) / 2
            good, bad = (middle, bad) if self._tube(middle).least_eps < goal else (good, middle)
        return good

    def _tube(self, band: float) -> OuterTube:
        """The tube for psi in units of s, or of (1 + t)/2 for pairs of the ball."""
        if self._reads == "ball-pair":
            return OuterTube.of(
                self._samples, lambda s: np.sqrt(s) - band / 2, lambda s: np.sqrt(s) + band / 2, self._eps
            )
        return OuterTube.of(self._samples, lambda s: s - band, lambda s: s + band, self._eps)

    def _squares(self, band: float, layers: int) -> ScaledSquares | None:
        """The cheapest squares within delta of what is read."""
        if layers == 1:
            knots = fewest_knots(_SPARE * band, coordinates(self._reads, self._dim))
            return None if knots is None else scaled_knots(knots, 1.0, self._reads, self._dim)
        radices = narrowest_folds(_SPARE * band, self._reads, self._dim, layers)
        return None if radices is None else scaled_folds(radices, 1.0, self._reads, self._dim, band)

    def _design(self, squares: ScaledSquares, tube: OuterTube, goal: float) -> GeneralDesign:
        psi = tube.fewest_hinges(goal)
        error = tube.error_of(psi)
        if self._reads == "ball-pair":  # from (1 + t)/2 to t
            places = tuple(2 * place - 1 for place in psi.thresholds)
            psi = replace(psi, thresholds=places, weights=tuple(weight / 2 for weight in psi.weights))
        return GeneralDesign(self._reads, self._dim, squares.squares, -squares.centre, psi, squares.witness, error)
