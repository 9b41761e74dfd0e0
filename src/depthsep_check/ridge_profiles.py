"""Step (C1) of a moment sandwich: the profile along one direction lies between two even polynomials.

A profile is an even function g of z = <u, x>, and Q^-(z) <= g(z) <= Q^+(z) is to be proved for 0 <= z <= reach.

    hinges            g(z) = sum_i D_i max(0, |z| - T_i): on every linear piece two polynomials are nonnegative,
                      decided exactly (`polynomials`)
    pairs of units    g(z) = sum_i D_i (s(b_i (z - t_i)) + s(b_i (-z - t_i))), b_i > 0, for an activation s
        piecewise linear s    exactly, piece by piece. Where s may jump, g also has values of its own at the places in
                              between, by s(0) = 1 of the step: units that rise with z have jumped there already, their
                              mirror images not yet. They are compared one by one.
        other s               by balls, halving boxes [a, b] with midpoint m and half width h:
                              (Q - g)([a, b]) is inside (Q - g)(m) + (Q' - g')([a, b]) [-h, h], as g is Lipschitz
                              where its derivatives (Clarke's, at a kink) have an enclosure
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from flint import arb, fmpq

from depthsep_check.activations import Activation, Asymptote
from depthsep_check.document import ActivationGroup, PolynomialPair, RidgeGroup
from depthsep_check.numbers import ball_between
from depthsep_check.polynomials import negative_point
from depthsep_check.profile_bounds import near
from depthsep_check.verdict import Budget, Exhausted, Refuted

MAX_BISECTIONS = 60
_SIDES = (("upper", 1), ("lower", -1))
_EVALUATIONS = 4  # of the activation, for a pair and a box: about one unit of work each
# Between two breaks of an activation that has two.
_MIDDLE = {"hard_tanh": (Asymptote(fmpq(1), fmpq(0)),)}

Piece = tuple[fmpq, fmpq, fmpq, fmpq]  # start, end, and the profile there as constant + slope * z


class Profile(Protocol):
    """An even function of z."""

    def require_between(self, pair: PolynomialPair, reach: fmpq, where: str, budget: Budget) -> None:
        """Prove lower <= profile <= upper on [0, reach].

        Raises:
            Refuted: it fails at some point.
            Exhausted: neither proved nor refuted within the work limit.
        """
        ...


def hinge_profile(group: RidgeGroup) -> Profile:
    """The profile of a group of a ridge-groups network."""
    return _Hinges(group)


def activation_profile(group: ActivationGroup, activation: Activation) -> Profile:
    """The profile of a group of an activation-groups network."""
    return _LinearPairs(group, activation) if activation.breaks else _SmoothPairs(group, activation)


# ------------------------------------------------------------------------------------------------------------------
# Piecewise linear profiles, exactly


class _Hinges:
    def __init__(self, group: RidgeGroup) -> None:
        self._group = group

    def require_between(self, pair: PolynomialPair, reach: fmpq, where: str, budget: Budget) -> None:
        for piece in self._pieces(reach):
            _require_piece(piece, pair, where, budget)

    def _pieces(self, reach: fmpq) -> Iterator[Piece]:
        """The linear pieces on [0, reach]."""
        group = self._group
        knots = group.thresholds[: bisect_left(group.thresholds, reach)]
        start, constant, slope = fmpq(0), fmpq(0), fmpq(0)
        for threshold, weight in zip(knots, group.weights, strict=False):
            if start < threshold:
                yield start, threshold, constant, slope
            start, constant, slope = threshold, constant - weight * threshold, slope + weight
        yield start, reach, constant, slope


class _Line:
    """constant + slope * z, as a sum of multiples of lines."""

    def __init__(self) -> None:
        self.constant, self.slope = fmpq(0), fmpq(0)

    def add(self, weight: fmpq, scale: fmpq, shift: fmpq, line: Asymptote) -> None:
        """Add weight * line(scale * z + shift)."""
        self.constant += weight * (line.constant + line.slope * shift)
        self.slope += weight * line.slope * scale

    def at(self, z: fmpq) -> fmpq:
        return self.constant + self.slope * z


class _LinearPairs:
    """Pairs of units of a piecewise linear activation, which is continuous from the right."""

    def __init__(self, group: ActivationGroup, activation: Activation) -> None:
        self._breaks = activation.breaks
        self._lines = (activation.left, *_MIDDLE.get(activation.name, ()), activation.right)
        self._jumps = not activation.continuous
        self._first, self._origin = _Line(), _Line()  # just right of 0, and at 0
        self._changes: dict[fmpq, tuple[_Line, _Line]] = defaultdict(lambda: (_Line(), _Line()))
        for unit in zip(group.slopes, group.centres, group.weights, strict=True):
            self._add_pair(*unit)
        self._places = sorted(self._changes)

    def _add_pair(self, slope: fmpq, centre: fmpq, weight: fmpq) -> None:
        shift = -slope * centre
        for scale in (slope, -slope):
            at_zero = sum(b <= shift for b in self._breaks)
            after = at_zero if scale > 0 else sum(b < shift for b in self._breaks)
            self._origin.add(weight, scale, shift, self._lines[at_zero])
            self._first.add(weight, scale, shift, self._lines[after])
            for index, place in enumerate(self._breaks):
                z = (place - shift) / scale
                if z > 0:
                    change = self._changes[z][0 if scale > 0 else 1]
                    new, old = (index + 1, index) if scale > 0 else (index, index + 1)
                    change.add(weight, scale, shift, self._lines[new])
                    change.add(-weight, scale, shift, self._lines[old])

    def require_between(self, pair: PolynomialPair, reach: fmpq, where: str, budget: Budget) -> None:
        start, constant, slope = fmpq(0), self._first.constant, self._first.slope
        self._require_value(fmpq(0), self._origin.at(fmpq(0)), pair, where)
        for z in self._places[: bisect_right(self._places, reach)]:
            _require_piece((start, z, constant, slope), pair, where, budget)
            rising, falling = self._changes[z]
            self._require_value(z, constant + slope * z + rising.at(z), pair, where)
            start = z
            constant += rising.constant + falling.constant
            slope += rising.slope + falling.slope
        if start < reach:
            _require_piece((start, reach, constant, slope), pair, where, budget)

    def _require_value(self, z: fmpq, value: fmpq, pair: PolynomialPair, where: str) -> None:
        """At a jump; elsewhere the pieces on both sides have the same value there."""
        if not self._jumps:
            return
        for side, sign in _SIDES:
            bound = sum((q * z ** (2 * j) for j, q in enumerate(getattr(pair, side))), fmpq(0))
            if not sign * (bound - value) >= 0:
                raise _violated(side, sign, where, z)


def _require_piece(piece: Piece, pair: PolynomialPair, where: str, budget: Budget) -> None:
    start, end, constant, slope = piece
    for side, sign in _SIDES:
        gap = _in_powers_of_z(getattr(pair, side), constant, slope, sign)
        point = negative_point(gap, start, end, f"C1 {side}, {where}", budget)
        if point is not None:
            raise _violated(side, sign, where, point)


def _in_powers_of_z(even: Sequence[fmpq], constant: fmpq, slope: fmpq, sign: int) -> list[fmpq]:
    """Coefficients of sign * (polynomial in z^2 - (constant + slope * z))."""
    result = [fmpq(0)] * max(2, 2 * len(even) - 1)
    for j, q in enumerate(even):
        result[2 * j] = sign * q
    result[0] -= sign * constant
    result[1] -= sign * slope
    return result


def _violated(side: str, sign: int, where: str, point: fmpq) -> Refuted:
    word = "above" if sign == 1 else "below"
    return Refuted(f"C1 {side}, {where}", f"the profile is {word} its polynomial at z = {near(point)}")


# ------------------------------------------------------------------------------------------------------------------
# Other profiles, by balls


class _SmoothPairs:
    def __init__(self, group: ActivationGroup, activation: Activation) -> None:
        self._activation = activation
        parts = zip(group.slopes, group.centres, group.weights, strict=True)
        self._pairs = [(arb(slope), arb(slope * centre), arb(weight)) for slope, centre, weight in parts]
        self._slopes = [(slope, shift, slope * weight) for slope, shift, weight in self._pairs]

    def value(self, z: arb) -> arb:
        """An enclosure of the values over the ball z."""
        s = self._activation.value
        return sum((w * (s(b * z - c) + s(-b * z - c)) for b, c, w in self._pairs), arb(0))

    def derivative(self, z: arb) -> arb:
        """An enclosure of the derivatives over the ball z."""
        s = self._activation.derivative
        return sum((w * (s(b * z - c) - s(-b * z - c)) for b, c, w in self._slopes), arb(0))

    def require_between(self, pair: PolynomialPair, reach: fmpq, where: str, budget: Budget) -> None:
        cost = 1 + _EVALUATIONS * len(self._pairs)
        polynomials = [(side, sign, *_with_derivative(getattr(pair, side))) for side, sign in _SIDES]
        pending = [(fmpq(0), reach, 0)]
        while pending:
            low, high, depth = pending.pop()
            budget.spend(f"C1, {where}", cost)
            middle, box = (low + high) / 2, ball_between(low, high)
            at_middle, slope = self.value(arb(middle)), self.derivative(box)
            step = arb((high - low) / 2) * arb(0, 1)
            proved = True
            for side, sign, polynomial, derivative in polynomials:
                gap = sign * (_horner(polynomial, arb(middle)) - at_middle)
                if gap < 0:
                    raise _violated(side, sign, where, middle)
                proved = proved and bool(gap + sign * (_horner(derivative, box) - slope) * step >= 0)
            if proved:
                continue
            if depth == MAX_BISECTIONS:
                raise Exhausted(f"C1, {where}", f"undecided near z = {near(low)} after {MAX_BISECTIONS} bisections")
            pending += [(middle, high, depth + 1), (low, middle, depth + 1)]


def _with_derivative(even: Sequence[fmpq]) -> tuple[list[arb], list[arb]]:
    """The coefficients of a polynomial in z^2, in powers of z, and those of its derivative."""
    coefficients = [fmpq(0)] * (2 * len(even) - 1)
    coefficients[::2] = even
    return [arb(c) for c in coefficients], [arb(i * c) for i, c in enumerate(coefficients)][1:]


def _horner(coefficients: Sequence[arb], x: arb) -> arb:
    result = arb(0)
    for coefficient in reversed(coefficients):
        result = result * x + coefficient
    return result
