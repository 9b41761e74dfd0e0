"""Functions of one integer V in low..high that a block of units computes: a slope and jumps that repeat with a period.

    f(V) = start + slope (V - low) + sum of the steps of all jumps t with low < t <= V
    [V >= t] = relu(V - (t - 1)) - relu(V - t)

So f is a combination of units relu(V - k) whose kinks k are the points t - 1 and t, and low if there is a slope. At a
kink k > low the coefficient is step(k + 1) - step(k), which depends on k modulo the period only; at low it is
slope + step(low + 1), since a jump at t = low is none. Kinks at high and beyond are never active and left out. Hence
the number of units is known without listing them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from depthsep.networks.integer_rows import INT64_SAFE, IntegerArray

__all__ = ["Kinks", "Points", "RepeatedKinks", "Staircase", "smod"]


def smod(values: Any, modulus: Any) -> Any:
    """The residue in [-modulus/2, modulus/2), modulus even; of one integer or of an array.

    >>> smod(5, 8), smod(4, 8), smod(-4, 8)
    (-3, -4, -4)
    """
    half = modulus // 2
    return (values + half) % modulus - half


def progression(first: int, step: int, count: int) -> IntegerArray:
    """The integers first, first + step, ...: in int64 if they fit."""
    if count <= 1:
        step = 0
    safe = max(abs(first), abs(first + step * count)) < INT64_SAFE
    numbers = np.arange(count, dtype=np.int64)
    return first + step * (numbers if safe else numbers.astype(object))


class Kinks(Protocol):
    """Where the units relu(V - k) of a block have their kinks k."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last one."""

    @property
    def positions(self) -> IntegerArray:
        """All of them."""

    def multiplicity(self, point: int) -> int:
        """How many are at a point."""


@dataclass(frozen=True)
class Points:
    """Kinks by enumeration, in any order."""

    values: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def span(self) -> tuple[int, int]:
        """The smallest and the largest one."""
        return min(self.values), max(self.values)

    @cached_property
    def positions(self) -> IntegerArray:
        """All of them."""
        safe = max(map(abs, self.span)) < INT64_SAFE
        return np.array(self.values, dtype=np.int64 if safe else object)

    def multiplicity(self, point: int) -> int:
        """How many are at a point."""
        return self.values.count(point)


@dataclass(frozen=True)
class RepeatedKinks:
    """Kinks at low (if `at_low`) and at all points of low + 1 .. high - 1 with certain residues.

    Args:
        low: The least value of V.
        high: The largest value of V, more than `low`.
        at_low: Whether low is one.
        period: The modulus of the residues.
        residues: Distinct, in 0..period - 1.
    """

    low: int
    high: int
    at_low: bool
    period: int = 1
    residues: tuple[int, ...] = ()

    def runs(self) -> list[tuple[int, int]]:
        """The first kink of each residue, and how many follow with it."""
        runs = []
        for residue in self.residues:
            first = self.low + 1 + (residue - self.low - 1) % self.period
            runs.append((first, max(0, (self.high - 1 - first) // self.period + 1)))
        return runs

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return self.at_low + sum(count for _, count in self.runs())

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last one."""
        runs = [(first, first + (count - 1) * self.period) for first, count in self.runs() if count]
        if self.at_low:
            runs.append((self.low, self.low))
        return min(first for first, _ in runs), max(last for _, last in runs)

    @cached_property
    def positions(self) -> IntegerArray:
        """All of them, increasing."""
        start = progression(self.low, 1, int(self.at_low))
        return np.sort(np.concatenate([start, *(progression(first, self.period, n) for first, n in self.runs() if n)]))

    def multiplicity(self, point: int) -> int:
        """1 at a kink, else 0."""
        if point == self.low:
            return int(self.at_low)
        return int(self.low < point < self.high and point % self.period in self.residues)


@dataclass(frozen=True)
class Staircase:
    """A function of an integer; see the module's text.

    Args:
        low: The least value of V.
        high: The largest value of V, more than `low`.
        start: The value at low.
        slope: Its slope between jumps.
        period: The modulus of the residues.
        jumps: Pairs (residue, step): the points t with this residue where f jumps. Steps of equal residues are added.

    Example:
        >>> third = Staircase(-4, 5, start=-2, period=3, jumps=((0, 1),))  # floor(V / 3)
        >>> third(np.arange(-4, 6)).tolist(), third.kinks.positions.tolist()
        ([-2, -1, -1, -1, 0, 0, 0, 1, 1, 1], [-4, -3, -1, 0, 2, 3])
    """

    low: int
    high: int
    start: int = 0
    slope: int = 0
    period: int = 1
    jumps: tuple[tuple[int, int], ...] = ()

    @cached_property
    def _steps(self) -> dict[int, int]:
        """The step of each residue."""
        steps: dict[int, int] = {}
        for residue, step in self.jumps:
            steps[residue % self.period] = steps.get(residue % self.period, 0) + step
        return steps

    @cached_property
    def _bends(self) -> dict[int, int]:
        """The coefficient of the units with each residue beyond low; none of them 0."""
        bends: dict[int, int] = {}
        for residue, step in self._steps.items():
            before = (residue - 1) % self.period
            bends[before] = bends.get(before, 0) + step
            bends[residue] = bends.get(residue, 0) - step
        return {residue: bend for residue, bend in bends.items() if bend}

    @cached_property
    def _first(self) -> int:
        """The coefficient of the unit at low."""
        return self.slope + self._steps.get((self.low + 1) % self.period, 0)

    @cached_property
    def kinks(self) -> RepeatedKinks:
        """Those of the units with a coefficient."""
        return RepeatedKinks(self.low, self.high, self._first != 0, self.period, tuple(self._bends))

    def kinks_with(self, other: Staircase) -> RepeatedKinks:
        """Those that this function or another one with the same period needs, and at least one."""
        at_low = self._first != 0 or other._first != 0
        kinks = RepeatedKinks(self.low, self.high, at_low, self.period, tuple({**self._bends, **other._bends}))
        return kinks if kinks.count else replace(kinks, at_low=True)

    @cached_property
    def _runs(self) -> list[tuple[int, int, int]]:
        """The first kink, how many follow with the period, and their coefficient; for all that are there."""
        bends = self._bends.values()
        runs = [(first, count, bend) for (first, count), bend in zip(self.kinks.runs(), bends, strict=True)]
        return [run for run in [*runs, (self.low, int(self.kinks.at_low), self._first)] if run[1]]

    @property
    def largest(self) -> int:
        """The largest absolute value of a coefficient, 0 if there is none."""
        return max((abs(bend) for _, _, bend in self._runs), default=0)

    def coefficients(self) -> IntegerArray:
        """The coefficients of the units at `kinks.positions`."""
        kind = np.int64 if self.largest < INT64_SAFE else object
        none = np.zeros(0, dtype=np.int64)
        positions = np.concatenate([none, *(progression(first, self.period, count) for first, count, _ in self._runs)])
        values = np.concatenate([none, *(np.full(count, bend, dtype=kind) for _, count, bend in self._runs)])
        return values[np.argsort(positions)]

    def __call__(self, values: IntegerArray) -> IntegerArray:
        """Evaluate at integers of low..high."""
        result = self.start + self.slope * (values - self.low)
        for residue, step in self._steps.items():
            result = result + step * ((values - residue) // self.period - (self.low - residue) // self.period)
        return result
