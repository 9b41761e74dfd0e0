"""The read-out of the inputs: which grid point is nearest, in digits.

With x' = 2^(p+g) x (on [-1,1]^d 2^(p+g-1) (x + 1)), real in 0..2^(p+g), a grid point is x' = 2^g X. Threshold u is
the ramp [x' >= t_u] at t_u = 2^g u - 2^(g-1), rising on [t_u - 1, t_u], so the number of thresholds passed is
floor((x' + 2^(g-1)) / 2^g) at integers x': X at and around every grid point, wherever x' is on no ramp. Its digits
are functions of x', and of x' alone.

In two levels C = floor(X / 2^m) is read first, and Z = x' - 2^(g+m) C is -2^(g-1) .. 2^(g+m) - 2^(g-1) - 1
everywhere: between two coarse ramps it grows by 1 with x', and on a ramp it falls from the upper end to the lower
one. X mod 2^m is read from Z as X is from x', with the ramps at the same x'.
"""

from __future__ import annotations

from dataclasses import dataclass

from depthsep_check.layer_reading import Digits, RampDigits, Seen, StoredDigits, Walk, Walks, value_of
from depthsep_check.relu_networks import SYMMETRIC_CUBE
from depthsep_check.staircases import Staircase, digit, floor_quotient, identity, plus, times
from depthsep_check.verdict import Refuted


@dataclass(frozen=True, slots=True)
class ReadOut:
    """p `grid_bits`, g `guard_bits`, n `digit_bits`, m `fine_bits` (None: one level), `stored`: by a layer."""

    dim: int
    domain: str
    grid_bits: int
    guard_bits: int
    digit_bits: int
    fine_bits: int | None
    stored: bool

    @property
    def layers(self) -> int:
        """The number of hidden layers that it takes."""
        return 3 if self.fine_bits is not None else 2 if self.stored else 1


Activations = list[tuple[dict[int, int], int]]


def read_inputs(plan: ReadOut, walks: Walks) -> tuple[Digits, Activations]:
    """Check the layers that read the inputs.

    Returns:
        The digits that the next layer reads, and every input times 2^p as their integer combination.

    Raises:
        Refuted: a row or a bias is not what it has to be.
    """
    with walks.next() as walk:
        ramps = [_ramps(plan, walk, coordinate) for coordinate in range(plan.dim)]
    if plan.fine_bits is not None:
        return _two_levels(plan, plan.fine_bits, walks, ramps)
    unit, shift = 2**plan.guard_bits, 2 ** (plan.guard_bits - 1)
    highs = _digit_ranges(2**plan.grid_bits, plan.digit_bits)
    base, top = 2**plan.digit_bits, 2 ** (plan.grid_bits + plan.guard_bits)
    functions = [digit(0, top, base, e, unit=unit, shift=shift) for e in range(len(highs))]
    activations = _activations(plan, [base**e for e in range(len(highs))])
    if not plan.stored:
        ones = [unit * base**e for e in range(len(highs))]
        return RampDigits(highs * plan.dim, ramps, functions, ones), activations
    with walks.next() as walk:
        for seen in ramps:
            _digits(walk, seen, functions, highs)
    return _one_unit_each(highs * plan.dim), activations


def _ramps(plan: ReadOut, walk: Walk, coordinate: int) -> Seen:
    """The block on x' of a coordinate."""
    top = 2 ** (plan.grid_bits + plan.guard_bits)
    symmetric = plan.domain == SYMMETRIC_CUBE
    slope, constant = (top // 2, top // 2) if symmetric else (top, 0)
    block = walk.take()
    if block.row.inputs != [coordinate] or block.row.weights != [slope]:
        raise Refuted(walk.step, f"the row must be {slope} times input {coordinate}")
    return walk.seen(block, -constant, 0, top)


def _two_levels(plan: ReadOut, fine_bits: int, walks: Walks, ramps: list[Seen]) -> tuple[Digits, Activations]:
    base, top = 2**plan.digit_bits, 2 ** (plan.grid_bits + plan.guard_bits)
    unit, shift = 2**plan.guard_bits, 2 ** (plan.guard_bits - 1)
    step = unit << fine_bits
    coarse_highs = _digit_ranges(2 ** (plan.grid_bits - fine_bits), plan.digit_bits)
    coarse = [digit(0, top, base, e, unit=step, shift=shift) for e in range(len(coarse_highs))]
    fine_highs = _digit_ranges(2**fine_bits - 1, plan.digit_bits)
    low, high = -shift, step - shift - 1
    fine = [digit(low, high, base, e, unit=unit, shift=shift) for e in range(len(fine_highs))]
    rest = plus(identity(0, top), times(floor_quotient(0, top, step, shift), -step))
    with walks.next() as walk:
        middle = [(_digits(walk, x, coarse, coarse_highs), walk.block([(x, rest)], low, high)) for x in ramps]
    with walks.next() as walk:
        for units, remainder in middle:
            _digits(walk, remainder, fine, fine_highs)
            for passed in units:
                walk.unit([value_of(passed)], passed.high)
    fine_places = [base**e for e in range(len(fine_highs))]
    coarse_places = [base**e << fine_bits for e in range(len(coarse_highs))]
    return _one_unit_each((fine_highs + coarse_highs) * plan.dim), _activations(plan, fine_places + coarse_places)


def _digits(walk: Walk, seen: Seen, functions: list[Staircase], highs: list[int]) -> list[Seen]:
    """Units that store digits, one each."""
    return [walk.unit([(seen, f)], high) for f, high in zip(functions, highs, strict=True)]


def _digit_ranges(top: int, digit_bits: int) -> list[int]:
    """The largest value of every digit of the numbers 0..top, which is 2^a or 2^a - 1.

    >>> _digit_ranges(16, 2), _digit_ranges(15, 3)
    ([3, 3, 1], [7, 1])
    """
    highs = []
    while top:
        highs.append(min(top, 2**digit_bits - 1))
        top >>= digit_bits
    return highs


def _one_unit_each(highs: list[int]) -> StoredDigits:
    return StoredDigits(highs, [range(e, e + 1) for e in range(len(highs))])


def _activations(plan: ReadOut, places: list[int]) -> Activations:
    """X, or 2 X - P on [-1,1]^d, of every coordinate."""
    factor, constant = (2, -(2**plan.grid_bits)) if plan.domain == SYMMETRIC_CUBE else (1, 0)
    numbers = range(plan.dim)
    return [({j * len(places) + e: factor * c for e, c in enumerate(places)}, constant) for j in numbers]
