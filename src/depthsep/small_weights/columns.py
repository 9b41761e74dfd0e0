"""Big integers in columns, and the sign of their sum from windows of a few bits.

S = sum_e C_e y_e + C_0 with big coefficients and small digits 0 <= y_e <= h_e. All C / q, q their greatest common
divisor, are written in the balanced base B = 2^L, with digits in [-B/2, B/2): S / q = sum_c B^c T_c with forms T_c
whose coefficients are small. For c in 0, s, 2s, ... (sign columns) let

    X_c = sum over c' >= c of B^(c'-c) T_c',   low_c = sum over c' < c of B^c' max |T_c'|,
    kappa_c = floor(low_c / B^c)
    H_c = B^(c'-c) kappa_c' + sum over c <= e < c' of B^(e-c) max |T_e|      (c' the next sign column)

2^r is the least power of two >= 2 max(H_c, kappa_c) + 4, for the last sign column the least one above 2 max |X_c|. V_c
has the coefficients of X_c modulo 2^r: small integers again. D = smod(V_c, 2^r), pos_c = [D > kappa_c],
dec_c = [|D| > kappa_c].

Lemma (ours). Let dec = 0 in all sign columns above c. Then D = X_c, and if dec_c = 1, X_c has the sign of S. Hence
[S > 0] = sum_c relu(pos_c - sum of dec above c), and at most one term is not 0.
Proof. S/q = B^c X_c + (a rest of at most low_c), so |X_c| > kappa_c, that is |X_c| B^c > low_c, decides the sign. In
the last sign column D = X_c as 2 |X_c| < 2^r. Further down |X_c'| = |D| <= kappa_c' at the next sign column c', so
|X_c| <= H_c < 2^(r-1) and D = X_c. Below the first column that decides, D may be anything; its terms are 0, as
pos <= 1. In column 0 kappa is 0, so that nothing is left undecided but S = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import gcd

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.integer_rows import INT64_SAFE, IntegerArray, largest
from depthsep.small_weights.staircases import Staircase, smod

__all__ = ["Columns", "Form", "Window", "balanced_digits", "interval", "split_columns"]

KEPT_BITS = 62  # of a prefix, while int64 is enough


def balanced_digits(value: int, column_bits: int) -> list[int]:
    """Write an integer in the base 2^column_bits with digits in [-B/2, B/2), lowest first; 0 has none.

    >>> balanced_digits(2, 2), balanced_digits(-3, 2)
    ([-2, 1], [1, -1])
    """
    digits = []
    while value:
        digits.append(smod(value, 1 << column_bits))
        value = (value - digits[-1]) >> column_bits
    return digits


@dataclass(frozen=True)
class Form:
    """An integer combination of digits plus a constant.

    Args:
        digits: The digits with a coefficient, increasing.
        coefficients: Their coefficients, none of them 0.
        constant: The constant.
        low: The least value, as the ranges of the digits have it.
        high: The largest value.
    """

    digits: NDArray[np.int64]
    coefficients: IntegerArray
    constant: int
    low: int
    high: int

    @property
    def is_constant(self) -> bool:
        """Whether no digit occurs."""
        return self.low == self.high


@dataclass(frozen=True)
class Window:
    """What the sign is read from in one sign column.

    Args:
        column: c.
        form: V_c.
        bits: r.
        undecided: kappa_c.
    """

    column: int
    form: Form
    bits: int
    undecided: int

    def signs(self, value: int) -> tuple[int, int]:
        """pos and dec where V_c has a value."""
        residue = smod(value, 1 << self.bits)
        return int(residue > self.undecided), int(abs(residue) > self.undecided)

    @cached_property
    def positive(self) -> Staircase:
        """pos, if V_c is not constant."""
        half = 1 << self.bits >> 1
        jumps = ((min(self.undecided + 1, half), 1), (half, -1))
        return Staircase(self.form.low, self.form.high, self.signs(self.form.low)[0], period=2 * half, jumps=jumps)

    @cached_property
    def decided(self) -> Staircase:
        """dec, if V_c is not constant."""
        half = 1 << self.bits >> 1
        jumps = (*self.positive.jumps, (-half, 1), (max(-self.undecided, -half), -1))
        return Staircase(self.form.low, self.form.high, self.signs(self.form.low)[1], period=2 * half, jumps=jumps)


@dataclass(frozen=True)
class Columns:
    """S in columns; see the module's text.

    Args:
        divisor: q.
        column_bits: L.
        forms: T_0, T_1, ...
        windows: One for each sign column, lowest first.
    """

    divisor: int
    column_bits: int
    forms: tuple[Form, ...]
    windows: tuple[Window, ...]


def interval(
    coefficients: IntegerArray, constants: IntegerArray, highs: NDArray[np.int64]
) -> tuple[list[int], list[int]]:
    """The least and the largest values of forms, one for each row, over 0 <= digit <= high; exact."""
    if largest(coefficients) * int(highs.sum()) >= INT64_SAFE:
        coefficients, highs = coefficients.astype(object), highs.astype(object)
    low = np.minimum(coefficients, 0) @ highs + constants
    high = np.maximum(coefficients, 0) @ highs + constants
    return low.tolist(), high.tolist()


def split_columns(
    coefficients: Sequence[int],
    digits: Sequence[int] | NDArray[np.int64],
    constant: int,
    digit_highs: Sequence[int] | NDArray[np.int64],
    column_bits: int,
    stride: int,
) -> Columns:
    """Split S = sum of coefficients times digits plus a constant; see the module's text.

    Args:
        coefficients: Integers of any size, not all of them 0.
        digits: The indices of their digits, increasing.
        constant: C_0.
        digit_highs: The range of every digit, by its index.
        column_bits: L, at least 2.
        stride: The distance s of the sign columns.
    """
    divisor = gcd(constant, *coefficients)
    table = _digit_table([*(entry // divisor for entry in coefficients), constant // divisor], column_bits)
    digits = np.asarray(digits, dtype=np.int64)
    highs = np.asarray(digit_highs, dtype=np.int64)[digits]
    forms = _forms(table, digits, highs)
    return Columns(divisor, column_bits, forms, _windows(table, forms, digits, highs, column_bits, stride))


def _digit_table(values: list[int], column_bits: int) -> NDArray[np.int64]:
    """The balanced digits of many integers, one row for each column: the plain digits of value + B/2 (1 + B + ...)."""
    base = 1 << column_bits
    count = max(value.bit_length() for value in values) // column_bits + 2
    shift = base // 2 * ((base**count - 1) // (base - 1))
    size = (count * column_bits + 7) // 8
    packed = np.frombuffer(b"".join((value + shift).to_bytes(size, "little") for value in values), dtype=np.uint8)
    bits = np.unpackbits(packed.reshape(len(values), size), axis=1, bitorder="little")[:, : count * column_bits]
    places = (1 << np.arange(column_bits)).astype(np.int64)
    table = bits.reshape(len(values), count, column_bits).astype(np.int64) @ places - base // 2
    filled = np.flatnonzero(table.any(axis=0))
    return np.ascontiguousarray(table[:, : filled[-1] + 1].T)


def _forms(table: IntegerArray, digits: NDArray[np.int64], highs: NDArray[np.int64]) -> tuple[Form, ...]:
    """One form for each row of a table: the coefficients, and the constant last."""
    coefficients, constants = table[:, :-1], table[:, -1]
    lows, tops = interval(coefficients, constants, highs)
    forms = []
    for row, constant, low, high in zip(coefficients, constants.tolist(), lows, tops, strict=True):
        filled = row.nonzero()[0]
        forms.append(Form(digits[filled], row[filled], constant, low, high))
    return tuple(forms)


def _windows(
    table: NDArray[np.int64],
    forms: tuple[Form, ...],
    digits: NDArray[np.int64],
    highs: NDArray[np.int64],
    column_bits: int,
    stride: int,
) -> tuple[Window, ...]:
    maxima = [max(-form.low, form.high) for form in forms]
    undecided = [0]
    for maximum in maxima:
        undecided.append((undecided[-1] + maximum) >> column_bits)
    signs = list(range(0, len(forms), stride))
    bits = []
    for column, above in pairwise(signs):
        reach = sum(maxima[e] << (e - column) * column_bits for e in range(column, above))
        reach += undecided[above] << (above - column) * column_bits
        bits.append((2 * max(reach, undecided[column]) + 3).bit_length())
    wide = max([stride * column_bits, *bits]) >= KEPT_BITS
    prefixes = _prefixes(table, column_bits, wide)[signs]
    (low,), (high,) = interval(prefixes[-1:, :-1], prefixes[-1:, -1], highs)
    bits.append((2 * max(-low, high)).bit_length())
    moduli = np.array([1 << r for r in bits], dtype=object if max(bits) >= KEPT_BITS else np.int64)
    reduced = _forms(smod(prefixes, moduli[:, np.newaxis]), digits, highs)
    return tuple(Window(c, form, r, undecided[c]) for c, form, r in zip(signs, reduced, bits, strict=True))


def _prefixes(table: NDArray[np.int64], column_bits: int, wide: bool) -> IntegerArray:
    """The coefficients of all X_c: as they are if `wide`, else modulo 2^62, where int64 holds all that is needed."""
    prefixes: IntegerArray = table.astype(object) if wide else table.copy()
    for column in reversed(range(len(prefixes) - 1)):
        above = prefixes[column + 1]
        if not wide:
            above = smod(above, 1 << (KEPT_BITS - column_bits))
        prefixes[column] += above << column_bits
    return prefixes
