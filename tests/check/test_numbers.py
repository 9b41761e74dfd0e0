from __future__ import annotations

import math
import random
import struct
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from depthsep_check import numbers
from depthsep_check.verdict import Malformed


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_survives_the_round_trip(value: float) -> None:
    assert numbers.parse_weight(numbers.format_weight(value), "here") == numbers.from_float(value)


@given(st.integers(-(2**70), 2**70), st.integers(-1200, 1200))
def test_a_weight_is_read_exactly_when_a_float_equals_it(significand: int, exponent: int) -> None:
    exact = Fraction(significand) * Fraction(2) ** exponent
    try:
        fits = Fraction(float(exact)) == exact
    except OverflowError:
        fits = False
    text = f"{'-' if significand < 0 else ''}0x{abs(significand):x}p{exponent}"
    if fits:
        assert str(numbers.parse_weight(text, "here")) == str(exact)
    else:
        with pytest.raises(Malformed, match="no float64 equals"):
            numbers.parse_weight(text, "here")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1.8p-3", fmpq(3, 16)),
        ("-0X1P+0", fmpq(-1)),
        ("0x0p+0", fmpq(0)),
        ("-0x0.0p5", fmpq(0)),
        ("0x.8p0", fmpq(1, 2)),
        ("0x10", fmpq(16)),
        ("+0x1.p1", fmpq(2)),
        ("0x0.0000000000001p-1022", fmpq(1, 2**1074)),
        ("0x1.fffffffffffffp+1023", fmpq(2**53 - 1) * 2**971),
    ],
)
def test_spellings_of_a_weight(text: str, value: fmpq) -> None:
    assert numbers.parse_weight(text, "here") == value
    assert float.fromhex(text).as_integer_ratio() == (int(value.p), int(value.q))


@pytest.mark.parametrize(
    "value",
    [
        *("", "0x", "0x.p1", "1.5", "nan", "inf", "0x1p", "0x1 p1", " 0x1p0", "0x1p0\n", "0x1_0p0", "0x1p١"),
        *(1, 1.5, True, None, "0x" + "0" * 70),
    ],
)
def test_what_is_not_a_weight_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(Malformed, match=r"^net\.bias: .*hexadecimal"):
        numbers.parse_weight(value, "net.bias")


@pytest.mark.parametrize(
    "text",
    ["0x1.00000000000008p0", "0x1p1024", "0x1p-1075", "0x0.00000000000018p-1022", "0x1p999999", "-0x1p-999999"],
)
def test_numbers_beside_float64_are_refused(text: str) -> None:
    with pytest.raises(Malformed, match="no float64 equals"):
        numbers.parse_weight(text, "here")


def test_rationals() -> None:
    assert numbers.parse_rational("-2/20", "here") == fmpq(-1, 10)
    assert numbers.parse_rational("0", "here") == 0
    assert numbers.parse_rational("9" * 200 + "/" + "7" * 200, "here") == fmpq(int("9" * 200), int("7" * 200))


@pytest.mark.parametrize(
    "value", ["", "1/", "/2", "+1", "1/-2", "0.1", "1e3", "1/2/3", " 1", "1\n", "٣", 1, 0.5, False, None]
)
def test_what_is_not_a_rational_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="expected a rational such as"):
        numbers.parse_rational(value, "claim.error")


def test_rationals_have_a_digit_limit_and_a_denominator() -> None:
    with pytest.raises(Malformed, match="more than 400 digits"):
        numbers.parse_rational("1" * 403, "here")
    with pytest.raises(Malformed, match="the denominator of '1/0' is 0"):
        numbers.parse_rational("1/0", "here")


def test_long_values_are_cut_in_errors() -> None:
    assert numbers.shown("x" * 100) == "'" + "x" * 56 + "..."
    assert numbers.shown([1]) == "a list"


def test_formats() -> None:
    assert numbers.format_weight(-0.1) == "-0x1.999999999999ap-4"
    assert numbers.format_rational(fmpq(3, 6)) == numbers.format_rational(Fraction(1, 2)) == "1/2"


def test_square_roots_are_upper_bounds_and_tight() -> None:
    rng = random.Random(1)
    for _ in range(300):
        value = fmpq(rng.getrandbits(rng.choice((1, 8, 60, 900))), rng.getrandbits(rng.choice((1, 8, 60, 900))) | 1)
        root = numbers.sqrt_upper(value)
        assert root >= 0
        assert value <= root * root <= value * (1 + fmpq(1, 2**59))
    assert numbers.sqrt_upper(fmpq(49, 4)) == fmpq(7, 2)
    assert numbers.sqrt_upper(fmpq(0)) == 0
    with pytest.raises(ValueError, match="square root of a negative number"):
        numbers.sqrt_upper(fmpq(-1))


def test_ball_between_contains_its_ends() -> None:
    low, high = fmpq(1, 3), fmpq(5, 7)
    ball = numbers.ball_between(low, high)
    assert ball.lower().fmpq() < low
    assert ball.upper().fmpq() > high
    assert ball.contains(arb(0.5))


def test_precision_is_restored_even_after_an_error() -> None:
    def fail_inside() -> None:
        with numbers.precision(333):
            raise ValueError(f"precision {ctx.prec}")

    before = ctx.prec
    with pytest.raises(ValueError, match="precision 333"):
        fail_inside()
    assert ctx.prec == before


def test_bit_patterns_read_as_the_same_number() -> None:
    rng = random.Random(2)
    for _ in range(500):
        (value,) = struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))
        if math.isfinite(value):
            assert numbers.parse_weight(value.hex(), "here") == numbers.from_float(value)
