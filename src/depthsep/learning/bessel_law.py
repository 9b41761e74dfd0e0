"""The norm under the Eldan-Shamir law: density, distribution function, quantiles, draws.

The law (Eldan & Shamir 2016, arXiv:1512.03965, section 3) has the density phi^2 on R^d, phi the Fourier transform of
the indicator of the ball of volume 1, R its radius. With nu = d/2, the number s = 2 pi R ||x|| has the density
d J_nu(s)^2 / s. Both sides of its distribution function are sums of squares, so neither loses digits:

    P(s <= a) = J_nu(a)^2 + 2 sum_{k >= 1} J_{nu+k}(a)^2                          (the derivative telescopes)
    P(s > a)  = J_nu(a)^2 + 2 sum_{0 < j < nu} J_j(a)^2 + J_0(a)^2                (d even, j integer)
    P(s > a)  = J_nu(a)^2 + 2 sum_{1/2 < j < nu} J_j(a)^2 + J_{1/2}(a)^2 + T(a)   (d odd, j half an odd number)

with T(a) = 1 - (2/pi) (Si(2a) - sin(a)^2 / a), the tail in dimension 1 (for d even the sum over all orders is 1). The
tail is about d / (pi a): s has no mean.

Quantiles: up to the cut nu + 64 pi from a table of the distribution function and its two derivatives, inverted cell by
cell; beyond, and below the table, by a safeguarded Newton iteration on the sums. Draws: the table below the cut;
beyond it rejection from a Pareto law, which is exact because a J_nu(a)^2 <= (2/pi) / sqrt(1 - (nu/a)^2) (Watson,
13.74) and the right side decreases; that bound is of no use near nu, hence the cut.
Cost: the table takes some 0.1 s, once per dimension; then about a microsecond a draw.
Differences from the source: the source has the density only; the sums are derived here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import exp1, jv, jvp

from depthsep.errors import BadInput
from depthsep.lower_bounds.tube_measure import unit_radius

__all__ = ["BesselRadius", "distribution", "survival"]

Array = NDArray[np.float64]
# Values and slopes at an array of points; the second argument says which of the targets the points belong to.
Curve = Callable[[Array, NDArray[np.intp]], tuple[Array, Array]]

_OSCILLATIONS = 64  # of J_nu^2, between nu and the end of the table
_CELLS = 128  # of the table, per oscillation
_FIRST_SHARE = 0.2  # the table begins at this share of d, where d * (length of a cell) / s is 1/8
_BLOCK = 1 << 16
_ROUNDS = 200
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class BesselRadius:
    """The norm ||x|| under the Eldan-Shamir law.

    Args:
        dim: The dimension d, at least 2.

    Example:
        >>> radius = BesselRadius(20)
        >>> median = float(radius.ppf(0.5))
        >>> round(median, 4), round(float(radius.cdf(median)), 12)
        (1.773, 0.5)
        >>> round(float(radius.ppf(0.999)) / median)  # the law has no mean
        476
    """

    dim: int

    def pdf(self, r: ArrayLike) -> Array:
        """The density at radii, 0 for r <= 0; the shape of `r`."""
        unit = self._unit
        return unit * _density(self.dim, unit * np.asarray(r, dtype=np.float64))

    def cdf(self, r: ArrayLike) -> Array:
        """P(||x|| <= r); the shape of `r`."""
        return distribution(self.dim, self._unit * np.asarray(r, dtype=np.float64))

    def ppf(self, q: ArrayLike) -> Array:
        """The radius below which the norm lies with probability q; the shape of `q`.

        Raises:
            BadInput: Some q is outside [0, 1].
        """
        wanted = np.asarray(q, dtype=np.float64)
        if not np.all((wanted >= 0) & (wanted <= 1)):
            raise BadInput("a quantile of the Eldan-Shamir law", needed="probabilities between 0 and 1")
        flat, table = np.atleast_1d(wanted).ravel(), _table(self.dim)
        s = np.empty_like(flat)
        below, beyond = flat < table.values[0], flat > table.values[-1]
        s[below] = _below(self.dim, table, flat[below])
        s[beyond] = _beyond(self.dim, table.nodes[-1], 1 - flat[beyond])
        body = ~(below | beyond)
        s[body] = table.inverse(flat[body])
        return s.reshape(wanted.shape) / self._unit

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n independent norms, of shape (n,)."""
        table = _table(self.dim)
        q = rng.random(n)
        beyond = q > table.values[-1]
        s = np.empty(n)
        s[beyond] = _draw_beyond(self.dim, float(table.nodes[-1]), int(beyond.sum()), rng)
        below = q < table.values[0]
        s[below] = _below(self.dim, table, q[below])
        body = ~(below | beyond)
        s[body] = table.inverse(q[body])
        return s / self._unit

    @property
    def _unit(self) -> float:
        """How many s go into a unit of length."""
        return 2 * math.pi * unit_radius(self.dim)


def distribution(dim: int, s: ArrayLike) -> Array:
    """P(2 pi R ||x|| <= s), to full relative accuracy for small s, 0 for s <= 0.

    Example:
        >>> distribution(10, [0.0, 6.25]).round(6).tolist()
        [0.0, 0.348166]
    """
    points = np.asarray(s, dtype=np.float64)
    small = points <= dim / 2
    result = np.where(small, 0.0, 1 - survival(dim, np.where(small, dim, points)))
    inside = small & (points > 0)
    result[inside] = _series(dim, points[inside])
    return cast(Array, result)


def survival(dim: int, s: ArrayLike) -> Array:
    """P(2 pi R ||x|| > s), to full relative accuracy for large s; about d / (pi s).

    Example:
        >>> round(float(survival(20, 1e6)) * math.pi * 1e6 / 20, 5)
        1.0
    """
    points = np.asarray(s, dtype=np.float64)
    large = points > dim / 2
    result = np.asarray(np.where(points > 0, 0.0, 1.0))
    beyond = large & np.isfinite(points)
    result[beyond] = _finite_sum(dim, points[beyond])
    inside = ~large & (points > 0)
    result[inside] = 1 - _series(dim, points[inside])
    return result


def _density(dim: int, s: Array) -> Array:
    """d J_nu(s)^2 / s, 0 for s <= 0."""
    inside = (s > 0) & np.isfinite(s)
    positive = np.where(inside, s, 1.0)
    return cast(Array, np.where(inside, dim * jv(dim / 2, positive) ** 2 / positive, 0.0))


def _series(dim: int, s: Array) -> Array:
    """P(. <= s) for 0 < s <= nu, as J_nu^2 (1 + 2 q_1 (1 + q_2 (1 + ...))), q_k the square of J_{nu+k} / J_{nu+k-1}.

    The ratios come from the recurrence in the order, which is stable downwards; beyond order nu they fall to 0 fast.
    """
    nu = dim / 2
    ratio, total = np.zeros_like(s), np.zeros_like(s)
    for k in range(int(30 + 8 * nu ** (1 / 3)), 0, -1):
        ratio = s / (2 * (nu + k) - s * ratio)
        total = ratio**2 * (1 + total)
    return cast(Array, jv(nu, s) ** 2 * (1 + 2 * total))


def _finite_sum(dim: int, s: Array) -> Array:
    """P(. > s) for s > nu, where the recurrence in the order is stable upwards."""
    if dim % 2 == 0:
        order, before, now = 1.0, jv(0, s), jv(1, s)  # j0 and j1 round their phases differently, far out
        total = before**2
    else:
        amplitude = np.sqrt(2 / (math.pi * s))
        order, before, now = 0.5, amplitude * np.cos(s), amplitude * np.sin(s)
        # 1 - (2/pi) Si(2s) = -(2/pi) Im E_1(2is)
        total = np.sin(s) ** 2 * 2 / (math.pi * s) - 2 / math.pi * exp1(2j * s).imag
    while order < dim / 2:
        total = total + (2 if order > 0.5 else 1) * now**2
        before, now, order = now, 2 * order / s * now - before, order + 1
    return cast(Array, total + now**2)


@dataclass(frozen=True)
class _Table:
    """The distribution function on cells: F(node + h t) = value + sum_j coefficients[:, j] t^(j+1), 0 <= t <= 1."""

    nodes: Array
    values: Array
    coefficients: Array

    def inverse(self, q: Array) -> Array:
        """The s with F(s) = q, for q within the table."""
        blocks = [self._inverse(q[start : start + _BLOCK]) for start in range(0, len(q), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty(0)

    def _inverse(self, q: Array) -> Array:
        cell = np.clip(np.searchsorted(self.values, q, "right") - 1, 0, len(self.nodes) - 2)
        rises, wanted = self.coefficients[cell], q - self.values[cell]

        def curve(t: Array, index: NDArray[np.intp]) -> tuple[Array, Array]:
            value, slope = np.zeros_like(t), np.zeros_like(t)
            for coefficient in rises[index].T[::-1]:
                slope = slope * t + value
                value = value * t + coefficient
            return value * t, slope * t + value

        steps = self.values[cell + 1] - self.values[cell]
        start = np.clip(wanted / steps, 0, 1)
        t = _solve(curve, wanted, np.zeros_like(q), np.ones_like(q), start, 2 * _EPS * q)
        return self.nodes[cell] + (self.nodes[cell + 1] - self.nodes[cell]) * t


@lru_cache(maxsize=32)
def _table(dim: int) -> _Table:
    nu = dim / 2
    first, last = _FIRST_SHARE * dim, nu + _OSCILLATIONS * math.pi
    nodes = np.linspace(first, last, math.ceil((last - first) * _CELLS / math.pi) + 1)
    values, bessel, slope = distribution(dim, nodes), jv(nu, nodes), jvp(nu, nodes)
    h = nodes[1] - nodes[0]
    p = dim * bessel**2 / nodes * h
    bend = dim * (2 * bessel * slope / nodes - (bessel / nodes) ** 2) * h**2
    a, b = p[:-1], bend[:-1] / 2
    # What is left of the value, the slope and the second derivative at the right end for t^3, t^4, t^5.
    value, first_, second = np.diff(values) - a - b, p[1:] - a - 2 * b, bend[1:] - 2 * b
    top = (10 * value - 4 * first_ + second / 2, -15 * value + 7 * first_ - second, 6 * value - 3 * first_ + second / 2)
    return _Table(nodes, values, np.stack([a, b, *top], axis=1))


def _below(dim: int, table: _Table, q: Array) -> Array:
    """Quantiles below the table. In logarithms F is concave, with a slope between that at the first node and d."""
    positive = np.maximum(q, np.finfo(np.float64).tiny)
    first, value = float(table.nodes[0]), float(table.values[0])
    gap, slope = np.log(positive / value), first * float(_density(dim, np.array([first]))[0]) / value

    def curve(log_s: Array, _index: NDArray[np.intp]) -> tuple[Array, Array]:
        s = np.exp(log_s)
        found = _series(dim, s)
        return np.log(found), s * _density(dim, s) / found

    high, low = math.log(first) + gap / dim, math.log(first) + gap / slope
    log_s = _solve(curve, np.log(positive), low - _EPS, high + _EPS, high, 4 * _EPS * np.ones_like(q))
    return np.where(q > 0, np.exp(log_s), 0.0)


def _beyond(dim: int, cut: float, p: Array) -> Array:
    """The s > cut with P(. > s) = p. The tail is (d/pi)/s (1 + (d^2 - 1)/(24 s^2) + ...) with waves of size 1/(2s)."""
    result = np.full(p.shape, math.inf)
    finite = p > 0
    guess = dim / (math.pi * p[finite])
    reach = 2 + dim**2 / (8 * np.maximum(guess, cut))

    def curve(s: Array, _index: NDArray[np.intp]) -> tuple[Array, Array]:
        return -survival(dim, s), _density(dim, s)

    low, high = np.maximum(guess - reach, 0.99 * cut), np.maximum(guess, cut) + reach
    tolerance = 2 * _EPS * p[finite]
    result[finite] = _solve(curve, -p[finite], low, high, np.clip(guess, low, high), tolerance)
    return result


def _draw_beyond(dim: int, cut: float, n: int, rng: np.random.Generator) -> Array:
    """Draw n values of s from the law given s > cut."""
    bound = 2 / math.pi / math.sqrt(1 - (dim / 2 / cut) ** 2)
    kept, missing = [np.empty(0)], n
    while missing > 0:
        proposals = cut / (1 - rng.random(2 * missing + 64))
        accepted = rng.random(len(proposals)) * bound < proposals * jv(dim / 2, proposals) ** 2
        kept.append(proposals[accepted][:missing])
        missing -= len(kept[-1])
    return np.concatenate(kept)


def _solve(curve: Curve, targets: Array, low: Array, high: Array, start: Array, tolerance: Array) -> Array:
    """Solve curve(x) = target for increasing curves, one target each: Newton's step where it stays in the bracket."""
    result, x = start.copy(), start.copy()
    low, high, left = low.copy(), high.copy(), np.arange(len(targets))
    for _ in range(_ROUNDS):
        if len(left) == 0:
            break
        value, slope = curve(x, left)
        error = value - targets[left]
        low[left], high[left] = np.where(error < 0, x, low[left]), np.where(error > 0, x, high[left])
        with np.errstate(divide="ignore", invalid="ignore"):
            step = x - error / slope
        inside = (step > low[left]) & (step < high[left])
        moved = np.where(inside, step, (low[left] + high[left]) / 2)
        done = (np.abs(error) <= tolerance[left]) | (np.abs(moved - x) <= 2 * _EPS * np.abs(x))
        result[left] = np.where(done, x, moved)
        left, x = left[~done], moved[~done]
    return result
