"""Functions of an integer form on its interval: piecewise linear with breaks at integers, in one canonical form.

What a row reads of a block is sum_r a_r relu(V + b_r): a function of the one integer V that the units of the block
share. On low <= V <= high it is given by its value at `low`, its slope on [low, low + 1] and its changes of slope at
the integers between, so two such functions are equal exactly when these three agree. All b_r are integers, so nothing
breaks between integers: equality at the integers is equality at every *real* V of the interval. The read-out of the
inputs, where V is a real multiple of x, needs this.

A gate [V >= t] is relu(V - t + 1) - relu(V - t): 0 up to t - 1, 1 from t on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Staircase:
    """A continuous function on [low, high], linear between integers.

    Attributes:
        low: the least argument.
        high: the largest argument.
        value: the value at `low`.
        slope: the slope on [low, low + 1]; 0 if the interval is a point.
        changes: the changes of slope, not 0, at integers strictly between.
    """

    low: int
    high: int
    value: int
    slope: int = 0
    changes: Mapping[int, int] = field(default_factory=dict)

    def at(self, argument: int) -> int:
        """The value at an integer of the interval."""
        bends = sum(change * (argument - t) for t, change in self.changes.items() if t < argument)
        return self.value + self.slope * (argument - self.low) + bends

    def bends_like(self, other: Staircase) -> bool:
        """True when the two, on the same interval, differ by a constant."""
        return self.slope == other.slope and self.changes == other.changes


def hinges(low: int, high: int, weights: Iterable[tuple[int, int]], constant: int = 0) -> Staircase:
    """constant + the sum of w relu(V - t) over the pairs (t, w), whatever the order and however often a t occurs.

    >>> hinges(0, 4, [(1, 2), (-1, 1), (9, 5)])
    Staircase(low=0, high=4, value=1, slope=1, changes={1: 2})
    """
    value, slope = constant, 0
    changes: dict[int, int] = {}
    for position, weight in weights:
        if position <= low:
            value += weight * (low - position)
            slope += weight
        elif position < high:
            changes[position] = changes.get(position, 0) + weight
    return _canonical(low, high, value, slope, changes)


def gates(low: int, high: int, jumps: Iterable[tuple[int, int]], constant: int = 0) -> Staircase:
    """constant + the sum of w [V >= t] over the pairs (t, w); a t at or below `low` counts everywhere.

    >>> [gates(0, 3, [(2, 5), (0, 1)]).at(v) for v in range(4)]
    [1, 1, 6, 6]
    """
    return hinges(low, high, (pair for t, w in jumps for pair in ((t - 1, w), (t, -w))), constant)


def constant(low: int, high: int, value: int) -> Staircase:
    """The constant function."""
    return Staircase(low, high, value)


def identity(low: int, high: int) -> Staircase:
    """The function V itself."""
    return Staircase(low, high, low, int(low < high))


def plus(first: Staircase, second: Staircase) -> Staircase:
    """The sum of two functions on the same interval."""
    changes = dict(first.changes)
    for t, change in second.changes.items():
        changes[t] = changes.get(t, 0) + change
    value, slope = first.value + second.value, first.slope + second.slope
    return _canonical(first.low, first.high, value, slope, changes)


def times(function: Staircase, factor: int) -> Staircase:
    """A multiple of a function."""
    changes = {t: factor * change for t, change in function.changes.items()} if factor else {}
    return Staircase(function.low, function.high, factor * function.value, factor * function.slope, changes)


def floor_quotient(low: int, high: int, divisor: int, shift: int = 0) -> Staircase:
    """floor((V + shift) / divisor) for a positive divisor: (high - low) / divisor jumps.

    >>> f = floor_quotient(-3, 4, 3, 1)
    >>> [f.at(v) for v in range(-3, 5)]
    [-1, -1, 0, 0, 0, 1, 1, 1]
    """
    if divisor == 1:
        return plus(identity(low, high), constant(low, high, shift))
    first, last = (low + shift) // divisor, (high + shift) // divisor
    return gates(low, high, ((j * divisor - shift, 1) for j in range(first + 1, last + 1)), first)


def digit(low: int, high: int, base: int, place: int, *, unit: int = 1, shift: int = 0) -> Staircase:
    """The digit floor((V + shift) / (unit base^place)) mod base, for V + shift >= 0.

    >>> [digit(-1, 6, 3, 1, shift=1).at(v) for v in range(-1, 7)]
    [0, 0, 0, 1, 1, 1, 2, 2]
    """
    divisor = unit * base**place
    above = floor_quotient(low, high, divisor * base, shift)
    return plus(floor_quotient(low, high, divisor, shift), times(above, -base))


def residue(low: int, high: int, modulus: int) -> Staircase:
    """smod(V, modulus), the residue in [-modulus/2, modulus/2) for an even modulus.

    >>> [residue(0, 4, 4).at(v) for v in range(5)]
    [0, 1, -2, -1, 0]
    """
    return plus(identity(low, high), times(floor_quotient(low, high, modulus, modulus // 2), -modulus))


def positive(low: int, high: int, modulus: int, kappa: int) -> Staircase:
    """[D > kappa] for D = smod(V, modulus), kappa >= 0."""
    return _window(low, high, modulus, kappa + 1, modulus // 2)


def decided(low: int, high: int, modulus: int, kappa: int) -> Staircase:
    """[|D| > kappa] for D = smod(V, modulus), kappa >= 0.

    >>> [decided(-4, 4, 8, 2).at(v) for v in range(-4, 5)]
    [1, 1, 0, 0, 0, 0, 0, 1, 1]
    """
    negative = _window(low, high, modulus, -(modulus // 2), -kappa)
    return plus(positive(low, high, modulus, kappa), negative)


def _window(low: int, high: int, modulus: int, start: int, stop: int) -> Staircase:
    """[start <= V - z modulus < stop for some integer z]; nothing where stop <= start, instead of swapped jumps."""
    if stop <= start:
        return constant(low, high, 0)
    periods = range(low // modulus - 1, high // modulus + 2)
    return gates(low, high, (p for z in periods for p in ((z * modulus + start, 1), (z * modulus + stop, -1))))


def _canonical(low: int, high: int, value: int, slope: int, changes: dict[int, int]) -> Staircase:
    kept = {t: change for t, change in changes.items() if change}
    return Staircase(low, high, value, slope if low < high else 0, kept)
