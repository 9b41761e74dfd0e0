"""The continuous piecewise-linear path with the fewest links inside a tube.

Theorem (Imai & Iri 1986, "An optimal algorithm for approximating a piecewise linear function"; Suri 1986, minimum-link
paths): among the polygons y(x) with low(x) <= y(x) <= high(x), low and high piecewise linear, a greedy one has the
fewest links: each link is the line that gets farthest, and the next one may leave it anywhere after its last contact.

What is computed here: that polygon. Call the segment from low to high at an abscissa a gate. A link is *stuck* at the
first abscissa whose gate no line through the gates so far reaches. If that gate lies above, the path takes the line
whose value there is largest; it touches a `low` end and, later, a `high` end (its last contact), and leaves the tube
through `low`. Another line leaves it upwards between the contact and this exit exactly when it is not above it at the
contact, not below it at the exit, and below the `high` ends between: so the next link is again a line through gates,
some of them changed and one inserted at the exit, and one routine does all the work. The other case is the mirror
image.

Differences from the source: the steepest line through gates comes from Newton's iteration on the convex function
m -> max(low - m x) - min(high - m x), one numpy pass a step, instead of from convex hulls; how far a link gets comes
from doubling and bisection.

Cost: O(n log n) numpy work in all, about half a second for 10^6 abscissae and 50 links. Nothing here is trusted: the
numbers are floats, and whoever uses the path proves what it needs on the rounded path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import OutOfReach

Floats = NDArray[np.float64]

__all__ = ["min_link_path"]

# A line counts as inside the gates when it misses them by less than this times the size of their values.
_SLACK = 1e-15
_FIRST_STEP = 8


def min_link_path(
    x: ArrayLike, low: ArrayLike, high: ArrayLike, start: Literal["free", "flat"] = "free"
) -> tuple[Floats, Floats]:
    """Find a piecewise-linear path with the fewest links between the polygons through (x_i, low_i) and (x_i, high_i).

    Args:
        x: strictly increasing abscissae, at least two.
        low: heights of the lower side of the tube.
        high: heights of its upper side, nowhere below `low`.
        start: "free", or "flat" when the first link must be horizontal.

    Returns:
        Abscissae and values of the vertices, both ends included: one more than there are links. A flat first link may
        have length 0; its two vertices then coincide.

    Raises:
        ValueError: when the arrays do not describe a tube.
        OutOfReach: when the tube is too narrow for float64.

    >>> knots, values = min_link_path([0, 1, 2, 3], [0, 1, 1, 0], [0, 1, 1, 0])
    >>> len(knots) - 1
    3
    >>> min_link_path([0, 1], [0, 2], [1, 1])
    Traceback (most recent call last):
    ...
    ValueError: the tube is empty at x = 1.0: low 2.0 is above high 1.0
    """
    gates = _Gates.of(x, low, high)
    link = gates.flat_link() if start == "flat" else gates.longest_link(0, 1)
    knots, values = [float(gates.x[0])], [link.at(float(gates.x[0]))]
    while link.last < len(gates.x) - 1:
        contact, leave = gates.open_window(link)
        following = gates.longest_link(contact, leave + 1)
        knot = link.meets(following, float(gates.x[contact]), float(gates.x[leave]))
        knots.append(knot)
        values.append(link.at(knot))
        link = following
    knots.append(float(gates.x[-1]))
    values.append(link.at(float(gates.x[-1])))
    return np.array(knots), np.array(values)


@dataclass(frozen=True)
class _Link:
    """A line through the gates contact..last, stuck there; `turn` is +1 when the next gate lies above it, -1 below."""

    slope: float
    pivot: float
    value: float
    contact: int
    last: int
    turn: int

    def at(self, x: float) -> float:
        return self.value + self.slope * (x - self.pivot)

    def averaged(self, other: _Link) -> _Link:
        value = (self.value + other.at(self.pivot)) / 2
        return _Link((self.slope + other.slope) / 2, self.pivot, value, self.contact, self.last, self.turn)

    def meets(self, other: _Link, first: float, last: float) -> float:
        bend = other.slope - self.slope
        if bend == 0:
            return last
        return min(max(first, self.pivot + (self.value - other.at(self.pivot)) / bend), last)


@dataclass
class _Gates:
    """The gates, `low` and `high` being changed along the window of each finished link."""

    x: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, x: ArrayLike, low: ArrayLike, high: ArrayLike) -> _Gates:
        xs, lows, highs = (np.array(a, dtype=np.float64) for a in (x, low, high))
        if xs.ndim != 1 or len(xs) < 2 or lows.shape != xs.shape or highs.shape != xs.shape:
            raise ValueError("x, low and high must be lists of one length, at least two")
        if not (np.isfinite(xs).all() and np.isfinite(lows).all() and np.isfinite(highs).all()):
            raise ValueError("x, low and high must be finite")
        if not (np.diff(xs) > 0).all():
            raise ValueError("x must increase strictly")
        if (lows > highs).any():
            i = int(np.argmax(lows > highs))
            raise ValueError(f"the tube is empty at x = {xs[i]}: low {lows[i]} is above high {highs[i]}")
        return cls(xs, lows, highs)

    def open_window(self, link: _Link) -> tuple[int, int]:
        """Let the next line start on the link, between its last contact and its exit; return these two gates."""
        p, j = self._insert_exit(link)
        start, end = link.at(float(self.x[p])), link.at(float(self.x[j]))
        if link.turn > 0:
            self.low[p:j], self.high[p], self.low[j] = -np.inf, start, end
        else:
            self.high[p:j], self.low[p], self.high[j] = np.inf, start, end
        return p, j

    def _insert_exit(self, link: _Link) -> tuple[int, int]:
        """The gates of the last contact and of the exit; gates move into places no longer used to make room for it."""
        p, j = link.contact, link.last
        side = self.low if link.turn > 0 else self.high
        ends = ((float(self.x[i]), float(side[i])) for i in (j, j + 1))
        room, lack = (link.turn * (link.at(x) - bound) for x, bound in ends)
        share = room / (room - lack) if room > 0 else 0.0
        place = (1 - share) * self.x[j] + share * self.x[j + 1]
        if not self.x[j] < place < self.x[j + 1]:
            return p, j
        gate = [(1 - share) * bounds[j] + share * bounds[j + 1] for bounds in (self.low, self.high)]
        if p == 0:
            self.x, self.low, self.high = (np.append(a[:1], a) for a in (self.x, self.low, self.high))
            p, j = 1, j + 1
        for array, entry in zip((self.x, self.low, self.high), (place, *gate), strict=True):
            array[p - 1 : j] = array[p : j + 1].copy()
            array[j] = entry
        return p - 1, j

    def flat_link(self) -> _Link:
        """The longest horizontal line from the first gate."""
        highest, lowest = np.maximum.accumulate(self.low), np.minimum.accumulate(self.high)
        apart = highest > lowest
        if not apart.any():
            return _Link(0.0, float(self.x[0]), float(highest[-1] + lowest[-1]) / 2, 0, len(self.x) - 1, 1)
        last = int(np.argmax(apart)) - 1
        if self.low[last + 1] > lowest[last]:
            value, turn = float(lowest[last]), 1
            contact = last - int(np.argmin(self.high[last::-1]))
        else:
            value, turn = float(highest[last]), -1
            contact = last - int(np.argmax(self.low[last::-1]))
        return _Link(0.0, float(self.x[0]), value, contact, last, turn)

    def longest_link(self, first: int, reach: int) -> _Link:
        """The line through the gates from `first` on that gets farthest; `reach` is a gate that some line gets to."""
        size = len(self.x)
        steepest = self.steepest_line(first, reach, 1)
        step, stuck = _FIRST_STEP, size
        while stuck - reach > 1:
            trial = (reach + stuck) // 2 if stuck < size else min(reach + step, size - 1)
            line = self.steepest_line(first, trial, 1, steepest)
            if line is None:
                stuck = trial
            else:
                steepest, reach, step = line, trial, 2 * step
        shallowest = self.steepest_line(first, reach, -1)
        if steepest is None or shallowest is None:
            raise OutOfReach(
                "a piecewise-linear path in a tube",
                found=f"a tube too narrow for float64 near x = {self.x[reach]}",
                do="ask for a larger eps",
            )
        if reach == size - 1:
            return steepest.averaged(shallowest)
        turns_up = steepest.at(float(self.x[reach + 1])) < self.low[reach + 1]
        return steepest if turns_up else shallowest

    def steepest_line(self, first: int, last: int, turn: int, above: _Link | None = None) -> _Link | None:
        """The line of largest (turn +1) or smallest (-1) slope through the gates first..last; None if there is none.

        `above` is the answer for fewer gates. Newton's iteration from above on a convex function: it never overshoots,
        and an iterate whose contacts are in the wrong order shows that no line passes.
        """
        part = slice(first, last + 1)
        pivot = float(self.x[first])
        x = self.x[part] - pivot
        low, high = (self.low[part], self.high[part]) if turn > 0 else (-self.high[part], -self.low[part])
        if above:
            slope = turn * above.slope
        else:
            a = int(np.argmax(np.isfinite(low)))
            b = a + 1 + int(np.argmax(np.isfinite(high[a + 1 :])))
            slope = float((high[b] - low[a]) / (x[b] - x[a]))
        while True:
            below, over = low - slope * x, high - slope * x
            a, b = int(np.argmax(below)), int(np.argmin(over))
            size = max(abs(low[a]), abs(high[b]), abs(slope) * x[-1])
            if below[a] - over[b] <= _SLACK * size:
                value = turn * float(below[a] + over[b]) / 2
                return _Link(turn * slope, pivot, value, first + b, last, turn)
            if b <= a:
                return None
            slope = min(float((high[b] - low[a]) / (x[b] - x[a])), float(np.nextafter(slope, -np.inf)))
