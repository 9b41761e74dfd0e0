"""How far float64 takes a folded network from its exact value: both evaluations, bounded in exact rationals.

Every step below is a continuous piecewise linear function with known slopes, so what comes in wrong by e goes on wrong
by e times the slope, also where rounding picks a neighbouring piece; each step then adds its own loss. |y_i| and ||y||
are at most `REACH` on the domain, v_1 = gain |y| at most `top`, and S bounds the sum over i of what y_i adds to q:

- knots: S = factor REACH^2 + D max (|G(t)| - factor t^2), for any factor (or the steepest slope times sqrt(D) REACH);
- folds: S = scale (P gain^2 REACH^2 + D/4), P the product of the M_l^2, since p^2 = J - (u - u^2) on the last piece's
  extension too, u - u^2 <= 1/4, and all terms J - u and J are nonnegative.

**By structure.** y of a pair loses gamma(1) REACH. Knots look G up and sum. In a fold p = M v loses gamma(1) p; k is
exact, since floor is taken of the p that is used; p - k and k + 1 - p lose one rounding; J has two products of exact
integers and a difference, slope 2 M - 1 in p. The sums over coordinates and levels, the factors R_l and scale and the
difference of both signs lose gamma(D + a + 4) S. A fold of the phase divides first: z/step may be rounded up to the
next integer, from at most gamma(1) z below it, where both pieces differ by 2 gamma(1) z; then it loses gamma(1) z, as
k step is an integer below 2^53. It never makes |z| larger. psi multiplies by its steepest slope and has its own lookup.

**By flat layers**, sums in any order. A unit that adds n products and a bias loses `local` = gamma(n + 1) times the
sizes of what it adds, plus n underflows (which count 2^-e in a layer that is scaled by 2^e; nothing else depends on
powers of two). All units of a fold read the same number, so what is wrong with that number passes through the triangle
wave (slope 1 in z, M in v), and only the local losses are multiplied by the coefficients of the units: 2 m - 1 in sum.
The carried sums are sums of nonnegative terms, at most S/scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from depthsep.errors import BadInput
from depthsep.networks.layers import printed_bound
from depthsep.networks.profile import PiecewiseLinear, even_profile
from depthsep.networks.rounding import LARGEST_SAFE, UNDERFLOW, gamma, sqrt_upper
from depthsep.networks.squares import Folds, Knots

if TYPE_CHECKING:
    from depthsep.networks.folded import FoldedNetwork

__all__ = ["NORM_SLACK", "flat_error", "structured_error"]

NORM_SLACK = Fraction(1, 2**40)  # float64 vectors are hardly ever of length 1; so far off they may be
REACH = 1 + NORM_SLACK
_EXACT_INTEGERS = 2**53


@dataclass(frozen=True)
class _Sum:
    """A bound of what is wrong with q, and of the sum of the sizes of what it adds up."""

    error: Fraction
    size: Fraction


# ------------------------------------------------------------------------------------------------------------------
# By structure


def structured_error(network: FoldedNetwork) -> Fraction | None:
    """Bound |computed - exact| of the evaluation by structure; None where its integers are not exact in float64."""
    squares = network.squares
    largest_radix = 1 if isinstance(squares, Knots) else max(squares.radices)
    if max(network.half_periods, 2 * largest_radix) > _EXACT_INTEGERS:
        return None
    _require_safe(network)
    read = Fraction(0) if network.reads == "norm" else gamma(1) * REACH + UNDERFLOW
    if isinstance(squares, Knots):
        found = _looked_up(squares, network.coordinates, read)
    else:
        found = _folded(squares, network.coordinates, read)
    largest = found.size + abs(Fraction(network.shift))
    error = found.error + gamma(1) * (largest + found.error)
    for _ in range(len(network.radices) + (network.repeats > 1)):
        error += 3 * gamma(1) * (largest + error)
    reach, outer = largest + error, network.outer
    return printed_bound(outer.steepest(-reach, reach) * error + outer.rounding_error(-reach, reach))


def _looked_up(squares: Knots, count: int, read: Fraction) -> _Sum:
    """The sum of G(|y_i|), all |y_i| wrong by `read`."""
    profile, reach = squares.profile, REACH + read
    error = count * (profile.rounding_error(Fraction(0), reach) + profile.steepest(Fraction(0), reach) * read)
    signed = ([sign * weight for weight in squares.weights] for sign in (1, -1))
    size = sum((_added_up(even_profile(squares.thresholds, weights), count) for weights in signed), Fraction(0))
    return _Sum(error + gamma(count + 1) * (size + error), size)


def _folded(squares: Folds, count: int, read: Fraction) -> _Sum:
    """The sum of the interpolants, all |y_i| wrong by `read`."""
    top = max(Fraction(1), Fraction(squares.gain) * REACH)
    error, each = Fraction(squares.gain) * read + gamma(2) * top, Fraction(0)
    for level, (radix, rest) in enumerate(zip(squares.radices, squares.rests, strict=True), 1):
        error_p = radix * error + gamma(1) * radix * (top + error)
        products = (2 * radix - 1) * (radix * top + error_p) + radix * (radix - 1)
        top = 1 + radix * (top - 1)
        error = error_p + gamma(1) * (top + error_p)
        each += rest * ((2 * radix - 1) * error_p + gamma(2) * products)
        if level < len(squares.radices):
            each += rest * (error + gamma(2) * (products + top + error))
    size, error = _fold_size(squares, count), Fraction(squares.scale) * count * each
    return _Sum(error + gamma(count + len(squares.radices) + 4) * (size + error) + 2 * UNDERFLOW, size)


def _fold_size(squares: Folds, count: int) -> Fraction:
    return Fraction(squares.scale) * (squares.pieces * (Fraction(squares.gain) * REACH) ** 2 + Fraction(count, 4))


def _added_up(profile: PiecewiseLinear, count: int) -> Fraction:
    """Bound the sum of max(0, g(|y_i|)) for a profile g with g(0) = 0."""
    if profile.extent(Fraction(0), REACH)[1] <= 0:
        return Fraction(0)
    plain = profile.steepest(Fraction(0), REACH) * sqrt_upper(Fraction(count)) * REACH
    factor = profile.exact(REACH) / REACH**2
    if factor <= 0:
        return plain
    return min(plain, factor * REACH**2 + count * profile.excess_over_square(factor, REACH))


# ------------------------------------------------------------------------------------------------------------------
# By flat layers


def flat_error(network: FoldedNetwork) -> Fraction:
    """Bound |computed - exact| of the flat layers in float64, every sum taken in any order."""
    _require_safe(network)
    squares, place = network.squares, network.square_layers
    found = _flat_knots(network, squares) if isinstance(squares, Knots) else _flat_folds(network, squares)
    error, size, shift = found.error, found.size, abs(Fraction(network.shift))
    largest, width = size + shift, network.widths[place - 1]
    for radix, step in zip(network.radices, network.steps, strict=True):
        local = _local(network, place, width, size + shift + radix * step)
        reached = largest + error
        last = min(math.floor(reached / step), radix - 1)
        size = (2 * last + 1) * reached - last * (last + 1) * step + (2 * radix - 1) * local
        error += (2 * radix - 1) * local
        shift, width, place = Fraction(0), radix, place + 1
    hinge = max(abs(threshold) for threshold in network.outermost_thresholds)
    local = _local(network, place, width, size + shift + hinge)
    mass = network.repeats * sum((abs(Fraction(weight)) for weight in network.weights), Fraction(0))
    reached, units = largest + error, network.widths[-1]
    total = network.outer.steepest(-reached, reached) * error + mass * local + units * UNDERFLOW
    total += gamma(units + 1) * (mass * (reached + hinge + local) + abs(Fraction(network.bias)))
    return printed_bound(total)


def _local(network: FoldedNetwork, layer: int, entries: int, size: Fraction) -> Fraction:
    """What a unit of hidden layer layer + 1 loses by itself: it adds up so many products, of this size, and a bias."""
    return gamma(entries + 1) * size + entries * UNDERFLOW / Fraction(2) ** network.layer_exponents[layer]


def _flat_knots(network: FoldedNetwork, squares: Knots) -> _Sum:
    sizes = [abs(weight) for weight in squares.weights]
    local = _local(network, 0, 2, REACH + Fraction(squares.thresholds[-1]))
    error = 2 * network.coordinates * local * sum(map(Fraction, sizes), Fraction(0))
    return _Sum(error, _added_up(even_profile(squares.thresholds, sizes), network.coordinates) + error)


def _flat_folds(network: FoldedNetwork, squares: Folds) -> _Sum:
    """Level by level: what is wrong with v, with the carried sums and with J."""
    count, scale = network.coordinates, Fraction(squares.scale)
    total, top = _fold_size(squares, count) / scale, max(Fraction(1), Fraction(squares.gain) * REACH)
    error, carried, mirrors = Fraction(0), Fraction(0), 2
    local = _local(network, 0, 2, squares.radices[0] * (top + 1))
    for level, (radix, rest) in enumerate(zip(squares.radices, squares.rests, strict=True), 1):
        units = (2 * radix - 1) * mirrors * local
        interpolant = (2 * radix - 1) * radix * error + units
        if level == len(squares.radices):
            break
        carried += count * rest * (2 * radix**2 * error + 2 * radix * mirrors * local)
        sums = 2 * _local(network, level, network.widths[level - 1], total + carried)
        carried += sums
        following = squares.radices[level]
        added = following * ((radix * top) ** 2 + 1 + interpolant)
        local = _local(network, level, mirrors * radix, added + following)
        error, top, mirrors = radix * error + units, 1 + radix * (top - 1), 1
    error = scale * (carried + count * interpolant)
    return _Sum(error, scale * total + error)


def _require_safe(network: FoldedNetwork) -> None:
    """Refuse weights with which a table of the structure, or a layer as it is scaled, might overflow."""
    squares = network.squares
    if isinstance(squares, Knots):
        sizes = (2 * REACH + Fraction(squares.thresholds[-1])) * sum(map(abs, map(Fraction, squares.weights)))
    else:
        top, scale = max(Fraction(1), Fraction(squares.gain) * REACH), Fraction(squares.scale)
        sizes = (1 + scale) * (squares.pieces * 8 * top**2 + 1)
    hinges = max(abs(threshold) for threshold in network.outermost_thresholds)
    reach = network.coordinates * sizes + abs(Fraction(network.shift)) + network.half_periods + hinges
    reach *= 4 * max(network.radices, default=1)
    mass = network.repeats * sum(map(abs, map(Fraction, network.weights)))
    power = Fraction(2) ** max(0, *network.layer_exponents)
    if max(reach * power, mass * reach + abs(Fraction(network.bias))) > LARGEST_SAFE:
        raise BadInput("bound the rounding error", found="weights near the overflow threshold of float64")
