from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from depthsep.decimals import exact_decimal, upper_decimal
from depthsep.reports.text import count, json_text, widths_text


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1), "1"),
        (Fraction(1, 10), "0.1"),
        (Fraction(99999, 1000000), "0.1"),
        (Fraction(1, 3), "0.3334"),
        (Fraction(2, 3), "0.6667"),
        (Fraction(123456), "123500"),
        (Fraction(10**7), "1e+7"),
        (Fraction(1, 10**6), "1e-6"),
        (Fraction(9999, 1000), "9.999"),
        (Fraction(99991, 10000), "10"),
    ],
)
def test_upper_decimal(bound: Fraction, text: str) -> None:
    assert upper_decimal(bound) == text


def test_upper_decimal_is_never_below_and_never_far_above() -> None:
    rng = random.Random(5)
    for _ in range(300):
        bound = Fraction(rng.randrange(1, 10**12), rng.randrange(1, 10**12))
        shown = Fraction(upper_decimal(bound))
        assert bound <= shown <= bound * Fraction(1001, 1000)


def test_counts() -> None:
    assert count(68153864) == "68,153,864"
    assert widths_text((1140,)) == "1,140"
    assert widths_text((2400, 9)) == "2,400 + 9"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1, 10), "0.1"),
        (Fraction(12), "12"),
        (Fraction(1, 3), "1/3"),
        (Fraction(1, 2**40), "1/1099511627776"),
        (Fraction(1, 10**13), "1/10000000000000"),
    ],
)
def test_exact_decimal(number: Fraction, text: str) -> None:
    assert exact_decimal(number) == text


def test_json_knows_the_numbers_of_numpy_and_refuses_nan() -> None:
    assert json_text([np.int64(17), np.float64(0.5), "≥"]) == '[\n  17,\n  0.5,\n  "\\u2265"\n]'
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))
