"""The outputs: a sum of digits with big coefficients, modulo a power of two, and clipped.

With the unit U = sigma Den every coefficient C_e becomes c_e = round(C_e / U), and V has the coefficients c_e modulo
M = 2^m. If |N| <= R, then S / U is in +-R Den / U, off by at most err / U from sum_e c_e y_e + c_0, where
err = sum_e |C_e - U c_e| h_e + |C_0 - U c_0|. That sum is smod(V, M) as 2 (R Den + err) / U < M - 1: one layer. The
next one clips to +-Rint, Rint = floor((R Den + err) / U), so that the output never leaves +-sigma Rint, wherever x is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import floor

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.integer_layers import OutputRow
from depthsep.networks.integer_rows import narrowed
from depthsep.small_weights.columns import Form, interval
from depthsep.small_weights.digits import Digits, Target
from depthsep.small_weights.layer_plan import LayerPlan, OnBlock, Reading, Sum
from depthsep.small_weights.staircases import Points, Staircase, smod

__all__ = ["Rounding", "output_layers", "output_rows", "round_outputs"]

EXACT_BELOW = 2**26  # of 2 R Den: then nothing is rounded
ERROR_BITS = 15  # else the error is at most R / 2^15


@dataclass(frozen=True)
class Rounding:
    """How the outputs are rounded.

    Args:
        scale: sigma.
        unit: U.
        error: err.
        size: R Den.
    """

    scale: Fraction
    unit: Fraction
    error: Fraction
    size: Fraction

    @property
    def error_upper(self) -> Fraction:
        """err / Den."""
        return self.error * self.scale / self.unit

    @cached_property
    def clip(self) -> int:
        """Rint."""
        return floor((self.size + self.error) / self.unit)

    @cached_property
    def modulus_bits(self) -> int:
        """m: the least one with 2^m > 2 (R Den + err) / U + 1."""
        return floor(2 * (self.size + self.error) / self.unit + 1).bit_length()

    def rounded(self, values: NDArray[np.object_]) -> NDArray[np.object_]:
        """round(C / U), half up."""
        quotients: NDArray[np.object_] = 2 * values * self.unit.denominator + self.unit.numerator
        quotients //= 2 * self.unit.numerator
        return quotients


def round_outputs(
    targets: Sequence[Target],
    highs: NDArray[np.int64],
    denominator: int,
    range_bound: Fraction,
    output_bits: int | None,
) -> Rounding:
    """Choose the scale: 2^-output_bits; by default 1 / Den, with no error, where that is cheap, else a power of two.

    Args:
        targets: The outputs.
        highs: The ranges of the digits.
        denominator: Den.
        range_bound: R.
        output_bits: See above; None for the default.
    """
    if output_bits is not None:
        return _rounding(targets, highs, denominator, range_bound, Fraction(1, 2**output_bits))
    if 2 * range_bound * denominator < EXACT_BELOW:
        return _rounding(targets, highs, denominator, range_bound, Fraction(1, denominator))
    scale = Fraction(2) ** floor(range_bound).bit_length()
    while True:
        rounding = _rounding(targets, highs, denominator, range_bound, scale)
        if rounding.error <= range_bound * denominator / 2**ERROR_BITS:
            return rounding
        scale /= 2


def _rounding(
    targets: Sequence[Target], highs: NDArray[np.int64], denominator: int, range_bound: Fraction, scale: Fraction
) -> Rounding:
    exact = Rounding(scale, scale * denominator, Fraction(0), range_bound * denominator)
    weights = np.array([*highs.tolist(), 1], dtype=object)
    lost = []
    for target in targets:
        values = np.array([*target.coefficients, target.constant], dtype=object)
        rests = np.abs(values * exact.unit.denominator - exact.unit.numerator * exact.rounded(values))
        lost.append(int(rests @ weights))
    return Rounding(exact.scale, exact.unit, Fraction(max(lost), exact.unit.denominator), exact.size)


def output_layers(before: Digits, targets: Sequence[Target], rounding: Rounding, *, collect: bool) -> list[LayerPlan]:
    """Plan the wrap and the clip layer, and with `collect` one before them that stores each V.

    Args:
        before: The digits.
        targets: The outputs.
        rounding: How they are rounded.
        collect: Whether V is stored first.
    """
    store, wrap, clip = LayerPlan(), LayerPlan(), LayerPlan()
    modulus = 1 << rounding.modulus_bits
    for target in targets:
        form = _form(target, before.highs, rounding, modulus)
        value: Reading = Sum(offset=smod(form.constant, modulus))
        if not form.is_constant:
            reading: Reading = before.read(form)
            if collect:
                reading = store.store(reading, form.low, form.high)
            jump = ((modulus // 2, -modulus),)
            residue = Staircase(form.low, form.high, smod(form.low, modulus), 1, modulus, jump)
            value = OnBlock(wrap.add(reading, residue.kinks), residue)
        clip.add(value, Points((-rounding.clip, rounding.clip)))
    return [layer.close() for layer in ([store, wrap, clip] if collect else [wrap, clip])]


def _form(target: Target, highs: NDArray[np.int64], rounding: Rounding, modulus: int) -> Form:
    values = smod(rounding.rounded(np.array([*target.coefficients, target.constant], dtype=object)), modulus)
    digits = values[:-1].nonzero()[0]
    coefficients = narrowed(values[digits])
    (low,), (high,) = interval(coefficients[np.newaxis], values[-1:], highs[digits])
    return Form(digits, coefficients, values[-1], low, high)


def output_rows(outputs: int, rounding: Rounding) -> tuple[OutputRow, ...]:
    """relu(v + Rint) - relu(v - Rint) - Rint for each output."""
    return tuple(OutputRow(np.array([2 * o, 2 * o + 1]), np.array([1, -1]), -rounding.clip) for o in range(outputs))
