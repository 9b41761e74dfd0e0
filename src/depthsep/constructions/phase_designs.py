"""Folded networks for sinusoids, laid out and proved: squares, phase folds and one repeated profile.

A layout is a choice of hidden layers: knots (one layer) or a layers of folds for the squares, b layers of phase folds,
and the profile with its n copies. With the profile given, its slack says how exact the squares have to be, and n times
the product of the phase radices has to reach the length of the phase. For a bound W of all widths everything is decided
by arithmetic: the largest radices that fit are the best; so the least W is found by bisection, and afterwards each
group of layers is made as narrow as its own task allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.phase_profile import PhaseProfile, profiles_by_slack, shortest_profile
from depthsep.constructions.phase_target import PhaseTarget
from depthsep.constructions.scaled_squares import (
    ScaledSquares,
    accumulators,
    narrowest_factors,
    narrowest_folds,
    scaled_folds,
    scaled_knots,
)
from depthsep.constructions.square_stage import SquareKnots, fewest_knots
from depthsep.functions import InnerProduct, Radial
from depthsep.networks.folded import FoldedNetwork

__all__ = ["Layout", "layouts"]

_FLOAT_BITS = 53
_SQUARES_SHARE = 0.998  # of the slack, for the squares; the rest covers rounding
_GRID_BITS = 45
_CLAIM_MARGINS = (1.0005, 1.002, 1.02)
_ERROR_STEPS = 12
_SLACK_MARGIN = 1.001


@dataclass(frozen=True)
class Layout:
    """The structure of a network, before its numbers.

    Args:
        target: The sinusoid.
        profile: The profile of one half period.
        squares: The knots, or the radices of the folds.
        radices: The radices of the phase folds.
        repeats: n.
    """

    target: PhaseTarget
    profile: PhaseProfile
    squares: SquareKnots | tuple[int, ...]
    radices: tuple[int, ...]
    repeats: int

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        coordinates = self.target.coordinates
        if isinstance(self.squares, SquareKnots):
            first: tuple[int, ...] = (2 * coordinates * len(self.squares.thresholds),)
        else:
            later = (radix * coordinates + accumulators(self.target.reads) for radix in self.squares[1:])
            first = (2 * self.squares[0] * coordinates, *later)
        return (*first, *self.radices, self.repeats * self.profile.hinges)

    def certified(
        self, function: Radial | InnerProduct, eps: Fraction, max_weight: Fraction | None
    ) -> CertifiedNetwork | None:
        """The network with its proof; None where the checker does not accept it, or its weights cannot be so small."""
        more = {
            "norm_slack": str(self.target.norm_slack),
            "max_weight": None if max_weight is None else str(max_weight),
        }
        numbers = self._numbers()
        for profile in (_sharpened(self.profile, numbers.deviation, self.repeats > 1), self.profile):
            network = self._network(numbers, profile)
            scaled = network if max_weight is None else network.scaled_to(max_weight)
            if scaled is None:
                return None
            error = profile.measured_error() * abs(self.target.amplitude)
            errors = [error * margin for margin in _CLAIM_MARGINS]
            found = first_proved(function, scaled, numbers.squares.witness, errors, eps, **more)
            if found is not None:
                return found
        return None

    def _numbers(self) -> _Numbers:
        """The squares and the shift, and how far the phase is off."""
        target, bits = self.target, _grid_bits(self.repeats * math.prod(self.radices))
        if isinstance(self.squares, SquareKnots):
            squares = scaled_knots(self.squares, target.rate, target.reads, target.dim)
        else:
            squares = scaled_folds(self.squares, target.rate, target.reads, target.dim, self.profile.slack)
        shift = _on_grid(target.constant(self.profile.slack) - Fraction(squares.centre), bits)
        return _Numbers(squares, shift, squares.deviation + target.spare + 2.0**-bits)

    def _network(self, numbers: _Numbers, profile: PhaseProfile) -> FoldedNetwork:
        amplitude = self.target.signed_amplitude(self.profile.slack)
        bias, weights = profile.scaled(self.target.mean, amplitude)
        return FoldedNetwork(
            dim=self.target.dim,
            reads=self.target.reads,
            squares=numbers.squares.squares,
            shift=numbers.shift,
            radices=self.radices,
            bias=bias,
            thresholds=profile.thresholds,
            sides=("right",) * profile.hinges,
            weights=weights,
            repeats=self.repeats,
            exponents=(0,) * len(self.widths),
            copies=1,
        )


@dataclass(frozen=True)
class _Numbers:
    """What a layout is filled with: the squares, the shift, and how far the phase is off."""

    squares: ScaledSquares
    shift: float
    deviation: float


def _grid_bits(length: int) -> int:
    """Multiples of 2^-bits up to twice the length are float64 numbers."""
    return min(_GRID_BITS, _FLOAT_BITS - 2 - length.bit_length())


def _on_grid(value: Fraction, bits: int) -> float:
    return math.ldexp(round(value * Fraction(2) ** bits), -bits)


def layouts(target: PhaseTarget, hidden_layers: int) -> Iterator[Layout]:
    """The best layouts of a number of hidden layers, for every profile and every split: the least largest width."""
    for repeated in (True, False):
        if not repeated and hidden_layers == 2 and target.length(0.0) > 1:
            continue  # nothing would fold the phase
        for profile in profiles_by_slack(target.error, repeated, _grid_bits(target.length(0.1))):
            for square_layers in range(hidden_layers):
                layout = _layout(target, profile, repeated, square_layers, hidden_layers)
                if layout is not None:
                    yield layout


def _layout(
    target: PhaseTarget, profile: PhaseProfile, repeated: bool, square_layers: int, hidden_layers: int
) -> Layout | None:
    """The best layout for a profile and a split; `square_layers` 0 stands for knots."""
    length = target.length(profile.slack)
    phase = hidden_layers - 1 - max(square_layers, 1)
    if (repeated and length == 1) or (not repeated and phase == 0 and length > 1):
        return None
    tail = _phase_layers(length, profile.hinges, phase, repeated)
    tolerance = (_SQUARES_SHARE * profile.slack - target.spare) / target.rate
    if tail is None or tolerance <= 0:
        return None
    squares = _squares(tolerance, target, square_layers)
    return None if squares is None else Layout(target, profile, squares, *tail)


@lru_cache(maxsize=512)
def _squares(tolerance: float, target: PhaseTarget, layers: int) -> SquareKnots | tuple[int, ...] | None:
    """The narrowest layers that are exact enough."""
    if layers == 0:
        return fewest_knots(tolerance, target.coordinates)
    return narrowest_folds(tolerance, target.reads, target.dim, layers)


def _phase_layers(length: int, hinges: int, layers: int, repeated: bool) -> tuple[tuple[int, ...], int] | None:
    """The narrowest radices of the phase folds, and the number of copies of the profile."""
    least = (2,) * layers + (2 if repeated else 1,)

    def largest(width: int) -> tuple[int, ...]:
        copies = width // hinges
        return (width,) * layers + (copies if repeated else min(copies, 1),)

    found = narrowest_factors(length, least, largest)
    return None if found is None else (found[:-1], found[-1])


def _sharpened(profile: PhaseProfile, slack: float, repeated: bool) -> PhaseProfile:
    """The profile of about the least error with as many hinges, for the slack that the squares really leave."""
    slack = min(slack * _SLACK_MARGIN, profile.slack)
    good, bad = profile.error, math.sin(math.pi * slack)
    for _ in range(_ERROR_STEPS):
        middle = (good + bad) / 2
        trial = shortest_profile(slack, middle, repeated, profile.place_bits)
        if trial.hinges <= profile.hinges:
            profile, good = trial, middle
        else:
            bad = middle
    return profile
