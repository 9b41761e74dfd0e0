"""Columns of big integers: the sign of a sum from small windows, exhaustively for small cases."""

from itertools import product
from math import gcd
from random import Random

import numpy as np
import pytest

from depthsep.small_weights.columns import Columns, Form, Window, balanced_digits, split_columns
from depthsep.small_weights.staircases import Points, RepeatedKinks, Staircase, smod


def values_of(form: Form, assignments: np.ndarray) -> np.ndarray:
    return assignments[:, form.digits].astype(object) @ form.coefficients + form.constant


def read_sign(columns: Columns, assignments: np.ndarray) -> np.ndarray:
    """The units relu(pos_c - sum of dec above c), one column for each window."""
    signs = [[window.signs(v) for v in values_of(window.form, assignments).tolist()] for window in columns.windows]
    positive, decided = (np.array([[pair[side] for pair in row] for row in signs]) for side in (0, 1))
    above = decided[::-1].cumsum(axis=0)[::-1] - decided
    return np.maximum(positive - above, 0)


def check_columns(coefficients: list[int], constant: int, highs: list[int], column_bits: int, stride: int) -> Columns:
    """All there is to say about the columns of one sum, at every assignment of its digits."""
    digits = [e for e, entry in enumerate(coefficients) if entry]
    columns = split_columns([coefficients[e] for e in digits], digits, constant, highs, column_bits, stride)
    assignments = np.array(list(product(*(range(high + 1) for high in highs))))
    sums = assignments.astype(object) @ np.array(coefficients, dtype=object) + constant
    assert columns.divisor == gcd(constant, *coefficients)
    parts = [values_of(form, assignments) for form in columns.forms]
    whole = sum(part << (column_bits * place) for place, part in enumerate(parts)) * columns.divisor
    assert (whole == sums).all()
    for form, part in zip(columns.forms, parts, strict=True):
        assert (form.low, form.high) == (part.min(), part.max())
        assert np.abs(form.coefficients).max(initial=0) <= 2 ** (column_bits - 1)
    units = read_sign(columns, assignments)
    assert (units.sum(axis=0) == (sums > 0)).all()
    assert [window.column for window in columns.windows] == list(range(0, len(columns.forms), stride))
    return columns


def check_window(window: Window) -> None:
    """The staircases pos and dec are what they should be on all integers of the interval."""
    low, high = window.form.low, window.form.high
    if low == high:
        return
    few = range(low, high + 1) if high - low < 3000 else [Random(place).randint(low, high) for place in range(300)]
    points = np.array([low, *few, high], dtype=object)
    expected = np.array([window.signs(point) for point in points])
    assert (window.positive(points) == expected[:, 0]).all()
    assert (window.decided(points) == expected[:, 1]).all()
    if high - low < 3000:
        check_units(window.positive)
        check_units(window.decided)


def check_units(function: Staircase) -> None:
    """The units with the kinks and coefficients of a staircase compute it."""
    points = np.arange(function.low, function.high + 1)
    kinks, coefficients = function.kinks.positions, function.coefficients()
    assert len(kinks) == len(coefficients) == function.kinks.count
    assert (np.diff(kinks) > 0).all()
    assert (coefficients != 0).all()
    assert function.largest == np.abs(coefficients).max(initial=0)
    units = np.maximum(points[:, np.newaxis] - kinks, 0)
    assert (function.start + units @ coefficients == function(points)).all()
    assert [function.kinks.multiplicity(int(point)) for point in points] == np.isin(points, kinks).tolist()
    if len(kinks):
        assert function.kinks.span == (kinks[0], kinks[-1])


def test_balanced_digits_add_up_and_are_small() -> None:
    for value, column_bits in product((0, 1, -1, 2, -2, 127, 128, -129, 10**30, -(10**30), 2**64), range(2, 9)):
        digits = balanced_digits(value, column_bits)
        assert sum(digit << (column_bits * place) for place, digit in enumerate(digits)) == value
        assert all(-(2 ** (column_bits - 1)) <= digit < 2 ** (column_bits - 1) for digit in digits)
        assert not digits or digits[-1]


def test_the_table_of_digits_is_that_of_single_numbers() -> None:
    rng = np.random.default_rng(0)
    for column_bits in range(2, 13):
        values = [
            int(v) * 2 ** int(e) + 1 for v, e in zip(rng.integers(-99, 99, 9), rng.integers(0, 150, 9), strict=True)
        ]
        values = [value // gcd(*values) for value in values]
        columns = split_columns(values[:-1], range(8), values[-1], [1] * 8, column_bits, 1)
        digits = [balanced_digits(value, column_bits) for value in values]
        assert len(columns.forms) == max(map(len, digits))
        for column, form in enumerate(columns.forms):
            row = [entry[column] if column < len(entry) else 0 for entry in digits]
            assert dict(zip(form.digits.tolist(), form.coefficients.tolist(), strict=True)) == {
                e: digit for e, digit in enumerate(row[:-1]) if digit
            }
            assert form.constant == row[-1]


def test_signs_of_small_sums_at_every_assignment() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        count = int(rng.integers(1, 4))
        coefficients = rng.integers(-40, 41, count).tolist()
        coefficients[0] = coefficients[0] or 1
        highs = rng.integers(1, 5, count).tolist()
        constant = int(rng.integers(-120, 121))
        columns = check_columns(coefficients, constant, highs, int(rng.integers(2, 4)), int(rng.integers(1, 4)))
        for window in columns.windows:
            check_window(window)


def test_all_pairs_of_coefficients_near_zero_sums() -> None:
    for first, second in product(range(1, 14), range(-13, 14)):
        for shift in (-1, 0, 1):
            check_columns([first, second], -2 * first - second + shift, [3, 3], 2, 1)


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize(("column_bits", "stride"), [(2, 1), (4, 1), (5, 2), (8, 3), (24, 16)])
def test_large_sums_around_zero(shift: int, column_bits: int, stride: int) -> None:
    """A comparison of 2^200 + 1 with itself, and windows beyond 63 bits."""
    big = 2**200 + 1
    columns = check_columns([big, -big, 3**90], shift - 2 * 3**90, [2, 2, 4], column_bits, stride)
    for window in columns.windows:
        check_window(window)


def test_a_common_divisor_is_taken_out_and_keeps_the_sign() -> None:
    columns = check_columns([6 * 35, -10 * 35], 35 * 2, [3, 3], 3, 1)
    assert columns.divisor == 70
    assert check_columns([-7], 0, [3], 3, 1).divisor == 7


def test_undecided_may_exceed_the_reach_of_a_column() -> None:
    """In column 2 every higher column is nearly empty: with a modulus of 2 H + 2 alone, relu(S) was negative."""
    columns = check_columns([-2048, 260640, 1035056], -2085120, [2, 15, 1], 4, 1)
    assert (columns.divisor, [window.undecided for window in columns.windows]) == (16, [0, 2, 7, 0, 3])
    assert columns.windows[2].bits == 5
    for window in columns.windows:
        check_window(window)


def test_undecided_at_the_half_of_the_modulus() -> None:
    """Jumps that fall on one point cancel; those beyond half the modulus are none."""
    form = Form(np.array([0]), np.array([1]), -20, -20, 20)
    for undecided in (0, 1, 2, 3, 4, 5, 9):
        check_window(Window(1, form, 3, undecided))


def test_staircases_are_combinations_of_their_units() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        low, period = int(rng.integers(-30, 30)), int(rng.integers(2, 9))
        jumps = tuple((int(r), int(s)) for r, s in rng.integers(-9, 9, size=(int(rng.integers(0, 5)), 2)))
        high = low + int(rng.integers(1, 40))
        check_units(Staircase(low, high, int(rng.integers(-5, 5)), int(rng.integers(-1, 2)), period, jumps))


def test_a_jump_at_the_least_value_is_none_and_the_last_one_needs_a_single_unit() -> None:
    assert Staircase(3, 6, period=3, jumps=((0, 1),)).kinks.positions.tolist() == [5]  # of the jumps 3 and 6, 6 is left
    assert Staircase(3, 6, period=9, jumps=((3, 1),)).kinks.count == 0
    assert Staircase(3, 6, period=9, jumps=((4, 5),)).coefficients().tolist() == [5, -5]


def test_a_block_for_two_functions_has_the_kinks_of_both_and_at_least_one() -> None:
    rise, fall = (Staircase(-8, 8, period=8, jumps=((residue, 1),)) for residue in (1, 3))
    assert rise.kinks_with(fall).positions.tolist() == sorted({*rise.kinks.positions, *fall.kinks.positions})
    flat = Staircase(0, 3, period=9, jumps=((5, 1),))
    assert flat.kinks_with(flat).positions.tolist() == [0]


def test_kinks_by_enumeration() -> None:
    points = Points((-2, 2, 2))
    assert (points.count, points.span, points.multiplicity(2), points.multiplicity(0)) == (3, (-2, 2), 2, 0)
    assert Points((2**70, 0)).positions.tolist() == [2**70, 0]


def test_kinks_beyond_63_bits() -> None:
    kinks = RepeatedKinks(2**80, 2**80 + 2**71, True, 2**70, (5,))
    assert kinks.positions.tolist() == [2**80, 2**80 + 5, 2**80 + 2**70 + 5]
    assert RepeatedKinks(0, 9, False, 2**70, (2**65, 4)).positions.tolist() == [4]


@pytest.mark.parametrize("modulus", [2, 8, 2**70])
def test_smod_is_the_residue_in_the_half_open_interval(modulus: int) -> None:
    for value in (*range(-20, 20), modulus // 2, -modulus // 2, 3 * modulus // 2 - 1):
        residue = smod(value, modulus)
        assert -modulus // 2 <= residue < modulus // 2
        assert (value - residue) % modulus == 0
