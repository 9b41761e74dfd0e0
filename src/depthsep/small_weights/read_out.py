"""Reading the inputs: ramps between neighbouring grid points, and digits of the number of ramps passed.

    x' = 2^(p+g) x   (on [-1,1]^d: 2^(p+g-1) (x + 1)),   X = #{u in 1..P : x' >= 2^g u - 2^(g-1)}

On the grid x' = 2^g X lies in the middle of a plateau; off the grid X is the nearest grid point unless x' is on a ramp,
which is 2^-g of a cell wide. floor(X / 2^e) counts the ramps whose number is a multiple of 2^e, so the digits of X in
base 2^n are combinations of ramps. With P ramps per coordinate a grid of many bits is expensive; two levels count the
multiples of 2^m first, then the rest from Z = x' - 2^(g+m) floor(X / 2^m). That costs one layer more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depthsep.networks.grids import DOMAINS
from depthsep.small_weights.digits import Activations, Digits
from depthsep.small_weights.layer_plan import LayerPlan, OnBlock, PlannedBlock, Reading, Unit
from depthsep.small_weights.staircases import RepeatedKinks, Staircase

__all__ = ["InputGrid", "read_inputs"]


@dataclass(frozen=True)
class InputGrid:
    """The grid and the ramps.

    Args:
        dim: The number of coordinates.
        domain: One of DOMAINS.
        bits: p.
        guard_bits: g, at least 1.
    """

    dim: int
    domain: str
    bits: int
    guard_bits: int

    @property
    def centred(self) -> bool:
        """Whether the domain is [-1,1]^d."""
        return self.domain == DOMAINS[1]

    def coordinate(self, j: int) -> Unit:
        """The row x' of a coordinate."""
        scale = 1 << (self.bits + self.guard_bits - self.centred)
        return Unit(j, scale, scale if self.centred else 0)

    def activations(self, digits: Digits, places: list[int]) -> Activations:
        """The inputs of the source: each coordinate has the same digits, of the weights 2^places."""
        coefficients = np.array([1 << (place + self.centred) for place in places] * self.dim, dtype=object)
        constant = -(1 << self.bits) if self.centred else 0
        owners = np.repeat(np.arange(self.dim), len(places))
        return Activations(digits, owners, coefficients, np.array([constant] * self.dim, dtype=object), 1 << self.bits)


@dataclass(frozen=True)
class _Ramps:
    """A block whose ramps count 1, 2, ..., most, and the digits of that count in base 2^base_bits.

    Args:
        low: The least value of the block's V.
        high: The largest value.
        step: Ramp u ends at step u - half.
        half: See `step`.
        most: The number of ramps.
        base_bits: n.
        count: How many digits.
    """

    low: int
    high: int
    step: int
    half: int
    most: int
    base_bits: int
    count: int

    @property
    def highs(self) -> list[int]:
        """The ranges of the digits; `count` ends with the last digit that is not always 0."""
        last = self.most >> (self.base_bits * (self.count - 1))
        return [(1 << self.base_bits) - 1] * (self.count - 1) + [last]

    @property
    def places(self) -> list[int]:
        """The powers of two that the digits stand for."""
        return [self.base_bits * place for place in range(self.count)]

    def kinks(self, *, at_low: bool) -> RepeatedKinks:
        """The kinks of all ramps, and of V itself if asked for."""
        at_low = at_low or (self.low + 1 + self.half) % self.step == 0
        residues = ((-self.half - 1) % self.step, -self.half % self.step)
        return RepeatedKinks(self.low, self.high, at_low, self.step, residues)

    def digit(self, place: int) -> Staircase:
        """One digit, as a function of V."""
        unit = self.step << (self.base_bits * place)
        period, jumps = unit, [(-self.half, 1)]
        if place < self.count - 1:
            period = unit << self.base_bits
            jumps = [(unit * number - self.half, 1) for number in range(1, 1 << self.base_bits)]
            jumps.append((-self.half, 1 - (1 << self.base_bits)))
        return Staircase(self.low, self.high, period=period, jumps=tuple(jumps))

    def store_digits(self, layer: LayerPlan, block: PlannedBlock) -> list[Reading]:
        """One unit for each digit."""
        readings = [OnBlock(block, self.digit(place)) for place in range(self.count)]
        return [layer.store(reading, 0, high) for reading, high in zip(readings, self.highs, strict=True)]


def read_inputs(
    grid: InputGrid, input_digit_bits: int, fine_bits: int | None, *, merged: bool
) -> tuple[list[LayerPlan], Activations]:
    """Plan the first layers.

    Args:
        grid: The grid and the ramps.
        input_digit_bits: n.
        fine_bits: m for two levels, None for one.
        merged: Whether the digits stay combinations of ramps.

    Returns:
        The layers, and the inputs of the source as the last of them holds them.
    """
    if fine_bits is not None:
        return _two_levels(grid, input_digit_bits, fine_bits)
    half = 1 << (grid.guard_bits - 1)
    most = 1 << grid.bits
    count = grid.bits // input_digit_bits + 1
    ramps = _Ramps(0, 2 * half * most, 2 * half, half, most, input_digit_bits, count)
    first = LayerPlan()
    blocks = [first.add(grid.coordinate(j), ramps.kinks(at_low=False)) for j in range(grid.dim)]
    if merged:
        return [first], grid.activations(_ramp_digits(ramps, grid.dim), ramps.places)
    second = LayerPlan()
    for block in blocks:
        ramps.store_digits(second, block)
    digits = Digits.grouped(ramps.highs * grid.dim, [1] * second.units)
    return [first, second], grid.activations(digits, ramps.places)


def _ramp_digits(ramps: _Ramps, dim: int) -> Digits:
    """Digits that stay combinations of ramps: ramp u counts for digit e according to the multiples of 2^(n e) it is."""
    numbers = np.arange(1, ramps.most + 1)
    level = sum(((numbers % (1 << place) == 0).astype(np.int64) for place in ramps.places[1:]), np.zeros_like(numbers))
    order = np.argsort(level, kind="stable")
    units = 2 * np.repeat(numbers[order] - 1, 2) + np.tile([0, 1], ramps.most)
    sizes = 2 * np.bincount(level, minlength=ramps.count)
    mixing = np.triu(np.ones((ramps.count, ramps.count), dtype=np.int64))
    mixing -= np.triu(np.full_like(mixing, 1 << ramps.base_bits), 1)
    return Digits(
        np.array(ramps.highs * dim),
        np.cumsum(np.concatenate([[0], *[sizes] * dim])),
        np.concatenate([units + 2 * ramps.most * j for j in range(dim)]),
        np.tile([1, -1], ramps.most * dim),
        np.kron(np.eye(dim, dtype=np.int64), mixing),
    )


def _two_levels(grid: InputGrid, base_bits: int, fine_bits: int) -> tuple[list[LayerPlan], Activations]:
    half = 1 << (grid.guard_bits - 1)
    step = 2 * half << fine_bits
    most = 1 << (grid.bits - fine_bits)
    coarse = _Ramps(0, step * most, step, half, most, base_bits, (grid.bits - fine_bits) // base_bits + 1)
    fine_most = (1 << fine_bits) - 1
    fine = _Ramps(-half, step - half - 1, 2 * half, half, fine_most, base_bits, -(-fine_bits // base_bits))
    rest = Staircase(0, coarse.high, slope=1, period=step, jumps=((-half, -step),))
    first, second, third = LayerPlan(), LayerPlan(), LayerPlan()
    blocks = [first.add(grid.coordinate(j), coarse.kinks(at_low=True)) for j in range(grid.dim)]
    stored = []
    for block in blocks:
        digits = coarse.store_digits(second, block)
        stored.append((digits, second.add(OnBlock(block, rest), fine.kinks(at_low=False))))
    for digits, block in stored:
        fine.store_digits(third, block)
        for digit, high in zip(digits, coarse.highs, strict=True):
            third.store(digit, 0, high)
    places = fine.places + [fine_bits + place for place in coarse.places]
    held = Digits.grouped((fine.highs + coarse.highs) * grid.dim, [1] * third.units)
    return [first, second, third], grid.activations(held, places)
