"""Functions of one variable as sums of units of any activation, proved on an interval or on the whole line.

Theorem (Assumption 1 of Safran, Eldan & Shamir 2019, "Depth Separations in Neural Networks: What is Actually Being
Separated?", proved there for ReLU and sigmoids): an L-Lipschitz f, constant outside [-R, R], is within delta on R of
h(t) = a + sum_i alpha_i s(beta_i t - gamma_i) with at most c R L / delta units, c depending on s only.

What is proved here: instances, each with explicit float64 weights, by bisection with balls and certified tails
(`depthsep_check.theorems.univariate`); the constants of the statement stand in `depthsep.activations`. Searches:
ReLU: the polygon with the fewest kinks, or (`method="cells"`) the textbook's, h = a + sum_i alpha_i gamma_i
relu(t - beta_i) with |alpha_i| = 1, places |beta_i| <= R about the middle of the interval, slopes gamma_i <= 2L and
at most 2 R L / delta units. Other kinks: the same, made sharp enough. Steps: the staircase with the fewest jumps.
Sigmoids: the same with steep units; hard_tanh: one ramp per link of a polygon. Smooth units: also sparse dictionaries,
which win where the accuracy is moderate. The result with the fewest units that the checker accepts is kept.

Differences from the source: the fewest units are looked for instead of bounded; every instance is checked. Cost: the
searches take seconds at most; the check some boxes per unit, about a second for a hundred steep units.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.accuracy import parse_accuracy
from depthsep.activations import Activation, activation
from depthsep.certificates.document import rounded_up
from depthsep.certificates.fitted import UNIVARIATE, CertifiedFit
from depthsep.certificates.proved import checked
from depthsep.errors import BadInput, NotProved, OutOfReach
from depthsep.functions.formula import FLOAT_OPERATIONS, parse_profile
from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.unit_sums import (
    Samples,
    UnitSum,
    balanced,
    cells,
    dictionary_sum,
    free_kinks,
    kinks_of,
    ramps,
    staircase,
)
from depthsep_check import Verdict

__all__ = ["METHODS", "fit"]

Floats = NDArray[np.float64]

METHODS = ("best", "cells")
DOMAINS = ("line", "interval")
MAX_UNITS = 20_000
_MARGINS = (0.002, 0.02, 0.1)  # of eps, kept free in the searches
_SMOOTH_MARGINS = (0.02, 0.1, 0.3)
_SHARPEST = 2.0**40
_DICTIONARY_BELOW = 400  # units of the other construction, above which no sparse program is tried
_ACROSS = np.linspace(-24, 24, 97)
_VALUES = 2**12


def fit(
    expression: str,
    interval: Sequence[str | int | Fraction],
    eps: str | int | Fraction,
    activation: str = "relu",
    domain: str = "line",
    method: str = "best",
) -> CertifiedFit:
    """Fit a function of one variable by units of one activation, with a proof.

    Args:
        expression: The formula of f in t.
        interval: The two ends; exact numbers or texts such as "-1" and "1/3".
        eps: The error, read exactly.
        activation: The name of the activation.
        domain: "line": h is within eps everywhere of the function that keeps f's end values outside the interval.
            "interval": inside only.
        method: "best", the fewest units found, or "cells", the textbook's equal cells (kinks only).

    Raises:
        BadInput: The request makes no sense.
        OutOfReach: More than 20000 units would be needed.
        NotProved: The checker accepted none of the candidates.

    >>> found = fit("abs(t)", ("-1", "1"), "0.01", "relu")
    >>> found.widths, found.verdict.ok
    ((3,), True)
    """
    request = _Request.of(expression, interval, eps, activation, domain, method)
    refused = ""
    for name, units in request.candidates():
        if len(units) > MAX_UNITS:
            raise OutOfReach(
                f"{expression} within {request.eps} by {request.activation.name}",
                found=f"{len(units)} units",
                needed=f"at most {MAX_UNITS}",
                do="ask for a larger eps",
                reached={"units": len(units)},
            )
        for error in request.claims(units):
            found = request.certified(name, units, error)
            if isinstance(found, CertifiedFit):
                return found
            refused = found.line
    raise NotProved(
        f"{expression} within {request.eps} by {request.activation.name}",
        found=refused or "no candidate",
        do="ask for a larger eps, or for another activation",
    )


@dataclass(frozen=True)
class _Request:
    """What is to be fitted, and its samples."""

    expression: str
    interval: tuple[Fraction, Fraction]
    eps: Fraction
    activation: Activation
    domain: str
    method: str
    samples: Samples

    @classmethod
    def of(
        cls, text: str, interval: Sequence[str | int | Fraction], eps: Any, name: str, domain: str, method: str
    ) -> _Request:
        low, high = _ends(interval)
        accuracy, chosen = parse_accuracy(eps), activation(name)
        for word, known, what in ((domain, DOMAINS, "domain"), (method, METHODS, "method")):
            if word not in known:
                raise BadInput(f"{what} {word!r}", needed=f"one of {', '.join(known)}")
        if method == "cells" and chosen.kind != "kink":
            raise BadInput(f"equal cells with {name}", needed="an activation with a kink, such as relu")
        samples = _samples(text, low, high, float(accuracy))
        return cls(text, (low, high), accuracy, chosen, domain, method, samples)

    def candidates(self) -> Iterator[tuple[str, UnitSum]]:
        """Sums to be proved, those with few units first as far as that is known."""
        error = float(self.eps)
        if np.ptp(self.samples.f) <= 2 * error * (1 - 1e-9):
            middle = float(self.samples.f.max() + self.samples.f.min()) / 2
            yield "constant", UnitSum(middle, np.empty(0), np.empty(0), np.empty(0))
        ordinary = self._kinks if self.activation.kind == "kink" else self._jumps
        tried = list(ordinary(error))
        shortest = min((len(units) for _, units in tried), default=MAX_UNITS)
        if self._is_smooth and self.method == "best" and shortest <= _DICTIONARY_BELOW:
            sparse = dictionary_sum(self.samples, self.activation, error, self.activation.kind == "kink")
            if sparse is not None:
                tried.append(("dictionary", sparse))
        yield from sorted(tried, key=lambda found: len(found[1]))

    @property
    def _is_smooth(self) -> bool:
        return not self.activation.judge.breaks

    def _kinks(self, error: float) -> Iterator[tuple[str, UnitSum]]:
        sharp = self._is_smooth
        for margin in _SMOOTH_MARGINS if sharp else _MARGINS:
            allowed = error * (1 - margin)
            if self.domain == "interval" and self.activation.name == "relu" and self.method == "best":
                value, places, changes = free_kinks(self.samples, allowed)
                yield "polygon", UnitSum(value, np.ones(len(places)), places, changes)
                continue
            if self.method == "cells":
                value, places, changes = cells(self.samples, self._cell_count(allowed))
            else:
                value, places, changes = kinks_of(self.samples, allowed)
            units = self._kink_units(value, places, balanced(changes), error * margin if sharp else None)
            if units is not None:
                yield ("cells" if self.method == "cells" else "polygon"), units

    def _cell_count(self, error: float) -> int:
        steepest = float(np.max(np.abs(np.diff(self.samples.f) / np.diff(self.samples.t)), initial=0.0))
        return math.ceil(self.samples.length * steepest / (2 * error) - 1e-6)

    def _kink_units(self, value: float, places: Floats, changes: Floats, room: float | None) -> UnitSum | None:
        """The kinks as units, which smooth ones have to be steep for; slopes far out cancel exactly."""
        steep = 1.0 if room is None else self._steepness(places, changes, room)
        if steep is None:
            return None
        left, right = self._slopes
        scales, weights = np.full(len(places), steep), balanced(changes / (right - left)) / steep
        return UnitSum(value + left * steep * float(weights @ places), scales, scales * places, weights)

    @property
    def _slopes(self) -> tuple[float, float]:
        sides = self.activation.judge.left, self.activation.judge.right
        left, right = (float(int(side.slope.p) / int(side.slope.q)) for side in sides)
        return left, right

    def _steepness(self, places: Floats, changes: Floats, room: float) -> float | None:
        """A power of 2 from which on all kinks together are within `room` of their asymptotes."""
        left, right = self._slopes
        around = np.concatenate((places, (places[1:] + places[:-1]) / 2, self.samples.t[[0, -1]]))
        steep = 2.0 ** -round(math.log2(self.samples.length))
        while steep < _SHARPEST:
            t = np.unique(np.add.outer(around, np.linspace(-3, 3, 7) / steep))
            scaled = steep * (np.multiply.outer(t, np.ones(len(places))) - places)
            missing = self.activation(scaled) - np.where(scaled < 0, left, right) * scaled
            seen = float(np.max(np.abs(missing @ changes), initial=0.0)) / (right - left)
            if abs(seen) <= room * steep * 0.98:
                return steep
            steep *= 2
        return None

    def _jumps(self, error: float) -> Iterator[tuple[str, UnitSum]]:
        judge = self.activation.judge
        low, high = (float(side.constant.p) / float(side.constant.q) for side in (judge.left, judge.right))
        for margin in _MARGINS:
            if self.activation.name == "hard_tanh":
                yield "ramps", ramps(self.samples, error * (1 - margin))
                continue
            allowed = error * (1 - margin)
            # An activation that leaves the interval between its limits errs c times as much at a jump.
            levels, places = staircase(self.samples, allowed / float(self.activation.assumption_constant))
            weights = np.diff(levels) / (high - low)
            bias = float(levels[0]) - low * float(weights.sum())
            units = self._steep_jumps(bias, places, weights, error * (1 - margin / 4))
            if units is not None:
                yield "staircase", units

    def _steep_jumps(self, bias: float, places: Floats, weights: Floats, error: float) -> UnitSum | None:
        if not self.activation.judge.continuous:
            return UnitSum(bias, np.ones(len(places)), places, weights)
        steep = 4 / min(np.diff(places), default=self.samples.length)
        while steep < _SHARPEST * 4:
            units = UnitSum(bias, np.full(len(places), steep), steep * places, weights)
            t = np.concatenate((np.add.outer(places, _ACROSS / steep).ravel(), self._coarse))
            if self._error_at(units, np.sort(t)) <= error:
                return units
            steep *= 1.5
        return None

    @property
    def _coarse(self) -> Floats:
        return self.samples.t[:: max(1, len(self.samples.t) // _VALUES)]

    def _error_at(self, units: UnitSum, t: Floats) -> float:
        return float(np.max(np.abs(units(self.activation, t) - self.samples.at(t)), initial=0.0))

    def claims(self, units: UnitSum) -> list[Fraction]:
        """The errors to claim: a little more than what the samples show, then eps."""
        t = np.concatenate((self._coarse, units.offsets / units.scales))
        seen = rounded_up(self._error_at(units, t) * 1.001)
        return [seen, self.eps] if seen < self.eps else [self.eps]

    def certified(self, method: str, units: UnitSum, error: Fraction) -> CertifiedFit | Verdict:
        """The document with its verdict where that is VERIFIED, otherwise the verdict."""
        claim = {
            "kind": UNIVARIATE,
            "domain": self.domain,
            "interval": [str(end) for end in self.interval],
            "arithmetic": "real",
            "activation": self.activation.in_documents,
            "error": str(error),
            "bias": float(units.bias).hex(),
            "scales": [x.hex() for x in units.scales.tolist()],
            "offsets": [x.hex() for x in units.offsets.tolist()],
            "weights": [x.hex() for x in units.weights.tolist()],
        }
        function = {"kind": UNIVARIATE, "expression": self.expression}
        text, verdict = checked(function=function, claim=claim, witness={"kind": "bisection"})
        if not verdict.ok:
            return verdict
        return CertifiedFit(
            self.expression, self.interval, self.domain, self.activation, units, method, error, self.eps, text, verdict
        )


def _ends(interval: Sequence[str | int | Fraction]) -> tuple[Fraction, Fraction]:
    try:
        low, high = (Fraction(end) for end in interval if not isinstance(end, float))
    except (ValueError, TypeError, ZeroDivisionError):
        raise BadInput(
            f"the interval {interval!r}", needed='two exact ends, such as ("-1", "1/3")', do="write numbers as texts"
        ) from None
    if not low < high:
        raise BadInput(f"the interval from {low} to {high}", needed="ends that increase")
    return low, high


def _samples(text: str, low: Fraction, high: Fraction, eps: float) -> Samples:
    expression = parse_profile(text, 1, variables=("t",))

    def profile(places: Floats) -> Floats:
        t = float(low) + (float(high) - float(low)) * places
        with np.errstate(all="ignore"):
            values = expression.evaluate(FLOAT_OPERATIONS, t, 1)
        return np.array(np.broadcast_to(values, t.shape), dtype=np.float64)

    found = ProfileSamples.of(profile, eps / 20)
    known = np.isfinite(found.values)
    if not known.all():
        place = float(low) + float(high - low) * float(found.radii[int(np.argmin(known))])
        raise BadInput(
            f'"{text}" on [{low}, {high}]',
            found=f"no finite value near t = {place:.9g}",
            needed="a continuous function",
        )
    return Samples(float(low) + (float(high) - float(low)) * found.radii, found.values)
