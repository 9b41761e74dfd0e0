"""How large the outputs of a network are on a grid: proved by intervals, proved by evaluation, or taken on trust.

A compiled network wraps its output around once it leaves +-range, so this number has to be right. Three ways to it:
interval arithmetic over the whole domain (always there, often far too large), the largest value over all grid points
(exact, where the grid is small), and the user's word, which is tested at random grid points and at the corners before
anything is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.words import about, at_most, short_upper

__all__ = ["GridRequest", "Range", "find_range", "grid_point"]

SAMPLES = 4096
ENUMERATED = 10**7  # grid points times what one of them takes; the checker does it again, in a few seconds
BLOCK = 1 << 15
SHORT, MOST_DIGITS = 12, 60  # characters of a value that a message shows
MANY_CORNERS = 12  # dimensions; beyond, the corners are drawn at random too

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class GridRequest:
    """What the full compiler is asked for.

    Args:
        bits: The grid has 2^bits + 1 points on every axis.
        domain: "[0,1]^d" or "[-1,1]^d".
        range_bound: A bound of |output| on the grid.
        output_bits: The outputs are multiples of 2^-output_bits; None: no error where that is cheap.
        guard_bits: A ramp is 2^-guard_bits of a cell wide.
    """

    bits: int
    domain: str
    range_bound: Fraction
    output_bits: int | None = None
    guard_bits: int = 4

    def arguments(self) -> dict[str, Any]:
        """The same, as `compile_on_grid` takes it."""
        return {
            "domain": self.domain,
            "grid_bits": self.bits,
            "range_bound": self.range_bound,
            "output_bits": self.output_bits,
            "guard_bits": self.guard_bits,
        }


@dataclass(frozen=True)
class Range:
    """A bound of |output| on the grid.

    Args:
        bound: The bound.
        proof: How it is known.
        hint: How a smaller one could be had, where that is so.
    """

    bound: Fraction
    proof: Literal["intervals", "enumeration", "assumed"]
    hint: str = ""


def find_range(network: ReluNetwork, domain: str, grid_bits: int, asserted: Fraction | None = None) -> Range:
    """Bound every output of a network at every point of a grid.

    Args:
        network: The network.
        domain: "[0,1]^d" or "[-1,1]^d".
        grid_bits: The grid has 2^grid_bits + 1 points on every axis.
        asserted: The user's own bound.

    Raises:
        BadInput: The user's bound does not hold; the message has a grid point and the value there.
    """
    interval = max(max(abs(low), abs(high)) for low, high in network.output_interval(domain))
    if asserted is not None:
        _refuse_violation(network, domain, grid_bits, asserted, _samples(network.dim, grid_bits))
        if interval <= asserted:
            return Range(asserted, "intervals")
    per_point = network.nonzeros + network.neurons + network.outputs
    if (2**grid_bits + 1) ** network.dim * per_point <= ENUMERATED:
        return _by_enumeration(network, domain, grid_bits, asserted, interval)
    if asserted is not None:
        return Range(asserted, "assumed")
    seen, _, _ = _largest(network, domain, grid_bits, [_samples(network.dim, grid_bits)])
    return Range(short_upper(interval), "intervals", _hint(interval, seen))


def _by_enumeration(
    network: ReluNetwork, domain: str, grid_bits: int, asserted: Fraction | None, interval: Fraction
) -> Range:
    if asserted is not None:
        for block in _whole_grid(network.dim, grid_bits):
            _refuse_violation(network, domain, grid_bits, asserted, block)
        return Range(asserted, "enumeration")
    tight, _, _ = _largest(network, domain, grid_bits, _whole_grid(network.dim, grid_bits))
    # Interval arithmetic is the cheaper proof, and one bit of range is cheap too.
    if interval <= 2 * tight:
        return Range(short_upper(interval), "intervals")
    return Range(short_upper(tight), "enumeration")


def _hint(interval: Fraction, seen: Fraction) -> str:
    if interval <= 4 * seen:
        return ""
    return (
        f"interval arithmetic bounds the output by {at_most(interval)}; at {SAMPLES} random grid points it is at most "
        f"{about(seen)} (an estimate). A smaller range makes a smaller network: assert one with --range; the document "
        "then says that it is assumed"
    )


def grid_point(indices: Indices, grid_bits: int, domain: str) -> tuple[Fraction, ...]:
    """The point of a grid that some indices stand for.

    Args:
        indices: Its number on each axis, from 0 to 2^grid_bits.
        grid_bits: The grid has 2^grid_bits + 1 points on every axis.
        domain: "[0,1]^d" or "[-1,1]^d".
    """
    units = (Fraction(int(index), 2**grid_bits) for index in indices)
    return tuple(units if domain == "[0,1]^d" else (2 * unit - 1 for unit in units))


def _refuse_violation(network: ReluNetwork, domain: str, grid_bits: int, asserted: Fraction, indices: Indices) -> None:
    largest, where, value = _largest(network, domain, grid_bits, [indices])
    if largest <= asserted:
        return
    point = ", ".join(map(str, grid_point(where, grid_bits, domain)))
    raise BadInput(
        f"range = {asserted}",
        found=f"the network's output at the grid point ({point}) is {_exactly(value)}",
        needed="a bound of |output| at every grid point: beyond it a compiled network wraps around",
        do=f"give a range of at least {at_most(largest)}, or none to have one proved",
    )


def _exactly(value: Fraction) -> str:
    """A value exactly, and shortly beside it where that is long."""
    text = str(value)
    if len(text) <= SHORT:
        return text
    return f"{text if len(text) <= MOST_DIGITS else f'{text[:MOST_DIGITS]}...'}, about {about(value)}"


def _largest(
    network: ReluNetwork, domain: str, grid_bits: int, blocks: Iterator[Indices] | list[Indices]
) -> tuple[Fraction, Indices, Fraction]:
    """The largest |output| over some grid points, where it is, and the output there."""
    best, where, value = Fraction(-1), np.zeros(network.dim, np.int64), Fraction(0)
    for indices in blocks:
        numerators, denominator = network.grid_values(indices, grid_bits, domain)
        sizes = abs(numerators)
        row, output = np.unravel_index(int(np.argmax(sizes)), sizes.shape)
        size = Fraction(int(sizes[row, output]), denominator)
        if size > best:
            best, where, value = size, indices[row], Fraction(int(numerators[row, output]), denominator)
    return best, where, value


def _samples(dim: int, grid_bits: int) -> Indices:
    """Random grid points, and the corners of the domain."""
    rng, last = np.random.default_rng(0), 2**grid_bits
    inside = rng.integers(0, last, size=(SAMPLES, dim), endpoint=True)
    corners: Any = (
        list(product((0, last), repeat=dim)) if dim <= MANY_CORNERS else last * rng.integers(0, 2, size=(SAMPLES, dim))
    )
    return np.concatenate([inside, np.asarray(corners, np.int64)])


def _whole_grid(dim: int, grid_bits: int) -> Iterator[Indices]:
    """All points of a grid, in blocks."""
    side = 2**grid_bits + 1
    for start in range(0, side**dim, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, side**dim))
        yield np.stack(np.unravel_index(numbers, (side,) * dim), axis=1).astype(np.int64)
